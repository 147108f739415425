from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from dltrain.cli.options import json_option, offline_option, run_argument, runs_dir_option, verbose_option


@click.command("eval")
@run_argument
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    default="test",
    show_default=True,
    help="Split to evaluate on.",
)
@offline_option
@json_option
@runs_dir_option
@verbose_option
def command(run: str, split: str, as_json: bool, runs_dir: Path, verbose: bool) -> None:
    """Evaluate the best weights of RUN.

    RUN is a directory, a run id or a prefix of one, `latest`, `latest~1` or `best:METRIC`.
    """
    from dltrain import engine, runs
    from dltrain.cli import console, quiet
    from dltrain.runs.json_text import to_json

    found = runs.find(run, runs_dir)
    with quiet.tensorflow(verbose), console.progress() as on_event:
        evaluation = engine.evaluate(found, split, owns_process=True, on_event=on_event)  # type: ignore[arg-type]
    if as_json:
        click.echo(to_json(asdict(evaluation), indent=None), nl=False)
    else:
        console.evaluation(evaluation, found.path)
