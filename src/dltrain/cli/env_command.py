from __future__ import annotations

import json

import click

from dltrain.cli.options import json_option, verbose_option


@click.command("env")
@json_option
@verbose_option
def command(as_json: bool, verbose: bool) -> None:
    """Print versions and devices, for a bug report."""
    from dltrain.cli import quiet
    from dltrain.engine.training.job import RECORDED_PACKAGES
    from dltrain.runs import provenance

    with quiet.tensorflow(verbose):
        from dltrain.engine import backends
        from dltrain.engine.session import device_of

        described = str(device_of(backends.choose(backends.NAMES[0], owns_process=True)))
    versions = provenance.versions(RECORDED_PACKAGES)
    facts = {**versions, "platform": provenance.platform_text(), "device": described}
    if as_json:
        click.echo(json.dumps(facts))
    else:
        for key, value in facts.items():
            click.echo(f"{key:<14}{value}")
