from __future__ import annotations

import shlex
from pathlib import Path

import click

from dltrain.cli import completion


@click.command("init")
@click.argument("template", required=False, shell_complete=completion.templates)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Your data, instead of TEMPLATE: a folder of images or texts, a CSV or Parquet file, or arrays (.npz, .npy).",
)
@click.option("--target", metavar="COLUMN", help="The column of a table to predict.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="File to write; - is stdout.  [default: TEMPLATE.yaml, or the name of the data]",
)
def command(template: str | None, source: Path | None, target: str | None, output: Path | None) -> None:
    """Write a commented starter config; without TEMPLATE, list the templates.

    `--from` looks at your data, and writes a config that trains on it; what it was taken for stands beside each line.
    Never overwrites an existing file.
    """
    from dltrain.config.manual import templates
    from dltrain.errors import UsageError

    if source is not None:
        if template is not None:
            raise UsageError("a config is from a template or from data", f"leave out `{template}`, or `--from`")
        _from_data(source, target, output)
        return
    if target is not None:
        raise UsageError("--target is the column of a table", "as in `dltrain init --from table.csv --target price`")
    if template is None:
        if output is not None:
            raise UsageError("-o needs a template or data", "as in `dltrain init cnn -o my.yaml`")
        width = max(map(len, templates.TEMPLATES))
        for name, line in templates.TEMPLATES.items():
            click.echo(f"{name:<{width}}  {line}")
        click.echo("\n`dltrain init cnn` writes cnn.yaml; `dltrain init --from PATH` one for your data", err=True)
        return
    _deliver(templates.text(template), output, Path(f"{template}.yaml"))


def _from_data(source: Path, target: str | None, output: Path | None) -> None:
    from dltrain.config.manual import from_data

    default = from_data.default_file(source)
    file = default if output in (None, Path("-")) else output
    _deliver(from_data.text(source, target, file or default), output, default)


def _deliver(text: str, output: Path | None, default: Path) -> None:
    from dltrain.config.manual import templates

    if output == Path("-"):
        click.echo(text, nl=False)
        return
    file = output or default
    templates.create(file, text, default.name)
    click.echo(file)
    quoted = shlex.quote(str(file))
    click.echo(f"next:\n  dltrain check {quoted}\n  dltrain fit {quoted}", err=True)
