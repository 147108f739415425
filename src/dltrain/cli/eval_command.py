from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dltrain.cli.options import json_option, offline_option, run_argument, runs_dir_option, verbose_option
from dltrain.errors import UsageError

if TYPE_CHECKING:
    from dltrain.engine import CheckpointChoice


def _checkpoint(text: str) -> CheckpointChoice:
    if text in ("best", "last"):
        return "best" if text == "best" else "last"
    if text.isascii() and text.isdecimal() and 0 < int(text) < 10**9:
        return int(text)
    raise UsageError(f"no checkpoint is called `{text}`", "`best`, `last` or an epoch, such as 3")


@click.command("eval")
@run_argument
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    default="test",
    show_default=True,
    help="Split to evaluate on.",
)
@click.option(
    "--checkpoint",
    metavar="best|last|N",
    default="best",
    show_default=True,
    help="Whose weights: those of the best epoch, the last one, or epoch N.",
)
@click.option(
    "--precision",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.9,
    show_default=True,
    help="For yes or no: find the threshold with most recall at this precision.",
)
@offline_option
@json_option
@runs_dir_option
@verbose_option
def command(
    run: str, split: str, checkpoint: str, precision: float, as_json: bool, runs_dir: Path, verbose: bool
) -> None:
    """Evaluate the weights of RUN: metrics, and a sheet with 95 % intervals.

    RUN is a directory, a run id or a prefix of one, `latest`, `latest~1` or `best:METRIC`.
    """
    from dltrain import engine, runs
    from dltrain.cli import console, quiet
    from dltrain.runs.json_text import to_json

    found = runs.find(run, runs_dir)
    with quiet.tensorflow(verbose), console.progress() as on_event:
        evaluation = engine.evaluate(
            found,
            split,  # type: ignore[arg-type]
            checkpoint=_checkpoint(checkpoint),
            precision=precision,
            owns_process=True,
            on_event=on_event,
        )
    if as_json:
        click.echo(to_json(asdict(evaluation), indent=None), nl=False)
    else:
        console.evaluation(evaluation, found.path)
