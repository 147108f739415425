from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli.options import config_argument, override_option


@click.command("check")
@config_argument
@override_option
def command(config: Path, overrides: tuple[str, ...]) -> None:
    """Find every problem of CONFIG at once, without starting TensorFlow."""
    from dltrain import spec

    plan = spec.load(config, overrides)
    layers = len(plan.spec.model.layers)
    click.echo(f"{config}: ok ({layers} layers, data set {plan.spec.data.dataset.name})")
