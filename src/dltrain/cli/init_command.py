from __future__ import annotations

import shlex
from pathlib import Path

import click

from dltrain.cli import completion


@click.command("init")
@click.argument("template", required=False, shell_complete=completion.templates)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="File to write; - is stdout.  [default: TEMPLATE.yaml]",
)
def command(template: str | None, output: Path | None) -> None:
    """Write a commented starter config; without TEMPLATE, list the templates.

    Never overwrites an existing file.
    """
    from dltrain.config.manual import templates
    from dltrain.errors import UsageError

    if template is None:
        if output is not None:
            raise UsageError("-o needs a template", "as in `dltrain init cnn -o my.yaml`")
        width = max(map(len, templates.TEMPLATES))
        for name, line in templates.TEMPLATES.items():
            click.echo(f"{name:<{width}}  {line}")
        click.echo("\n`dltrain init cnn` writes cnn.yaml", err=True)
        return
    if output == Path("-"):
        click.echo(templates.text(template), nl=False)
        return
    target = output or Path(f"{template}.yaml")
    templates.write(template, target)
    click.echo(target)
    quoted = shlex.quote(str(target))
    click.echo(f"next:\n  dltrain check {quoted}\n  dltrain fit {quoted}", err=True)
