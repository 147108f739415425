from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli import completion
from dltrain.cli.options import json_option, offline_option, override_option, verbose_option


@click.command("data")
@click.argument("config", required=False, type=click.Path(path_type=Path), shell_complete=completion.configs)
@override_option
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory for PNG files of samples, targets and features.",
)
@json_option
@offline_option
@click.option("--clear-cache", is_flag=True, help="Remove decoded images and downloaded data sets, of all configs.")
@verbose_option
@click.pass_context
def command(
    context: click.Context,
    config: Path | None,
    overrides: tuple[str, ...],
    pictures: Path | None,
    as_json: bool,
    clear_cache: bool,
    verbose: bool,
) -> None:
    """Show what the model of CONFIG gets of its data, before anything is trained.

    Samples of each class and split, shapes and ranges, constant features, duplicates within and between splits, and
    the first samples after all preprocessing. TensorFlow is started only to draw what `data.augment` makes of images.
    """
    if config is None and not clear_cache:
        raise click.UsageError("Missing argument 'CONFIG'.", context)
    if clear_cache:
        _clear_cache()
    if config is None:
        return
    from dltrain import engine
    from dltrain.cli import console, overview, quiet
    from dltrain.cli.diagnostics import printable
    from dltrain.runs.json_text import to_json

    with quiet.tensorflow(verbose), console.progress() as on_event:
        options = {"pictures": pictures, "owns_process": True, "on_event": on_event}
        summary = engine.describe_data(config, overrides, **options)  # type: ignore[arg-type]
    if as_json:
        click.echo(to_json(summary.to_json(), indent=None), nl=False)
    else:
        overview.show(summary)
    if pictures is not None:
        click.echo(f"pictures in {printable(pictures)}", err=True)


def _clear_cache() -> None:
    from dltrain import clear_cache
    from dltrain.cli.diagnostics import printable
    from dltrain.config.checks.sense.sizes import size

    freed = clear_cache()
    if freed.folder is None:
        click.echo("there is no cache without a home directory", err=True)
        return
    click.echo(f"removed {freed.files:,} files, {size(freed.size)}, of the cache {printable(freed.folder)}", err=True)
