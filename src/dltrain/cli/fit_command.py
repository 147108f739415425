from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli.options import config_argument, offline_option, override_option, runs_dir_option, verbose_option


@click.command("fit")
@config_argument
@override_option
@click.option("--smoke", is_flag=True, help="Train one epoch on 512 samples and test on 128; ignores `expect`.")
@click.option("--name", metavar="N", help="Name of the run; overrides the config's `name`.")
@click.option("--profile", is_flag=True, help="Report where the time went; also written to profile.json in the run.")
@offline_option
@runs_dir_option
@verbose_option
def command(
    config: Path,
    overrides: tuple[str, ...],
    smoke: bool,
    name: str | None,
    profile: bool,
    runs_dir: Path,
    verbose: bool,
) -> None:
    """Train the model that CONFIG describes. The last line of stdout is the run's directory."""
    from dltrain import engine
    from dltrain.cli import console, quiet

    with quiet.tensorflow(verbose), console.progress() as on_event:
        engine.fit(
            config,
            overrides,
            smoke=smoke,
            name=name,
            profile=profile,
            runs_dir=runs_dir,
            owns_process=True,
            on_event=on_event,
        )
