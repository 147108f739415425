from __future__ import annotations

import json

import click

from dltrain.cli.diagnostics import printable
from dltrain.cli.options import json_option, verbose_option


@click.command("env")
@json_option
@verbose_option
def command(as_json: bool, verbose: bool) -> None:
    """Print versions, device, and what else may change the bits of a run, for a bug report."""
    from dltrain.cli import quiet
    from dltrain.engine.training.job import RECORDED_PACKAGES
    from dltrain.runs import provenance

    with quiet.tensorflow(verbose):
        from dltrain.engine import backends
        from dltrain.engine.machine import environment, instructions
        from dltrain.engine.session import device_of

        backend = backends.choose(backends.NAMES[0], owns_process=True)
        device, libraries = device_of(backend), backend.libraries()
    facts = {
        **provenance.versions(RECORDED_PACKAGES),
        "platform": provenance.platform_text(),
        "device": str(device),
        "instructions": instructions(),
        **libraries,
        **environment(),
    }
    if as_json:
        click.echo(json.dumps(facts))
    else:
        width = 2 + max(map(len, facts))
        for key, value in facts.items():
            click.echo(f"{printable(key):<{width}}{printable(value)}")
