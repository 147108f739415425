from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli.options import offline_option, override_option, run_argument, runs_dir_option, verbose_option


@click.command("resume")
@run_argument
@override_option
@click.option("--force", is_flag=True, help="Continue even if data, config or versions changed; the run records it.")
@click.option("--from-scratch", is_flag=True, help="Train anew from epoch 1 if no checkpoint of the run can be used.")
@offline_option
@runs_dir_option
@verbose_option
def command(
    run: str, overrides: tuple[str, ...], force: bool, from_scratch: bool, runs_dir: Path, verbose: bool
) -> None:
    """Continue RUN from its newest intact checkpoint; `-s train.epochs=N` extends a finished run.

    RUN is a directory, a run id or a prefix of one, `latest` or `latest~1`. `-s` can change `train.epochs`, `expect`,
    `train.steps_per_execution` and `runtime.feed`.

    With `train.deterministic`, the result is bit-identical to that of a run that was never stopped.
    """
    from dltrain import engine
    from dltrain.cli import console, quiet

    with quiet.tensorflow(verbose), console.progress() as on_event:
        engine.resume(
            run,
            overrides,
            runs_dir=runs_dir,
            force=force,
            from_scratch=from_scratch,
            owns_process=True,
            on_event=on_event,
        )
