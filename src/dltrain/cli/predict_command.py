from __future__ import annotations

import sys
from pathlib import Path

import click

from dltrain.cli.options import run_argument, runs_dir_option, verbose_option


@click.command("predict")
@run_argument
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT…", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File for the predictions: .csv, .jsonl or .npz; CSV on stdout without it, or with -.",
)
@click.option("--top", type=click.IntRange(1, 100), default=1, show_default=True, help="Likeliest classes to list.")
@click.option(
    "--threshold", type=float, help="Probability above which an answer is yes, for metrics too; 0.5 without it."
)
@click.option(
    "--steps", type=click.IntRange(1), help="Of a series or long text: steps to go on beyond the end of INPUT."
)
@click.option(
    "--temperature",
    type=float,
    help="With --steps of a text: draw tokens, from 0, the likeliest, over 1, as the model says.",
)
@click.option("--seed", type=click.IntRange(0), help="Of what --temperature draws; 42 without it.")
@runs_dir_option
@verbose_option
def command(
    run: str,
    inputs: tuple[Path, ...],
    output: Path | None,
    top: int,
    threshold: float | None,
    steps: int | None,
    temperature: float | None,
    seed: int | None,
    runs_dir: Path,
    verbose: bool,
) -> None:
    """Predict with the best weights of RUN.

    RUN is a directory, a run id or a prefix of one, `latest`, `latest~1` or `best:METRIC`. INPUT has samples
    as those of the training: an .npz or .npy file or a directory of .npy files; a table, images, texts or a folder of
    them where RUN was trained on such; `-` is standard input. Targets in it are scored.
    """
    from dltrain import runs
    from dltrain.cli import console, quiet
    from dltrain.engine.answers import check_path, write, write_file
    from dltrain.engine.prediction import predictor

    if output == Path("-"):
        output = None
    if output is not None:
        check_path(output)
    found = runs.find(run, runs_dir)
    with quiet.tensorflow(verbose), console.progress() as on_event:
        options = {"threshold": threshold, "steps": steps, "temperature": temperature, "seed": seed}
        with predictor(found, inputs, owns_process=True, on_event=on_event, **options) as opened:  # type: ignore[arg-type]
            if output is not None:
                check_path(output, [given.file for given in opened.samples])
                count = write_file(output, opened, top)
            else:
                count = write(sys.stdout.buffer, ".csv", opened, top)
            metrics = opened.score()
            del opened  # the session frees what nothing names
    console.predicted(count, metrics, output)
