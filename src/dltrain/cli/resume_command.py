from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli.options import override_option, run_argument, runs_dir_option, verbose_option


@click.command("resume")
@run_argument
@override_option
@click.option("--force", is_flag=True, help="Go on though data, config or versions have changed; the run records it.")
@runs_dir_option
@verbose_option
def command(run: str, overrides: tuple[str, ...], force: bool, runs_dir: Path, verbose: bool) -> None:
    """Go on with RUN from its newest whole checkpoint; `-s train.epochs=N` extends a finished run.

    RUN is a directory, a run's id or its beginning, `latest` or `latest~1`. `train.epochs` may change, and with more
    epochs `expect`; so may what changes no bit, as `train.steps_per_execution`.

    With `train.deterministic` the end is the same, to the bit, as if the run had never been stopped.
    """
    from dltrain import engine
    from dltrain.cli import console, quiet

    with quiet.tensorflow(verbose), console.progress() as on_event:
        engine.resume(run, overrides, runs_dir=runs_dir, force=force, owns_process=True, on_event=on_event)
