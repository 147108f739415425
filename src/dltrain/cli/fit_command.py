from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli.options import config_argument, override_option, runs_dir_option, verbose_option


@click.command("fit")
@config_argument
@override_option
@click.option("--smoke", is_flag=True, help="One epoch on 512 training and 128 test samples; `expect` is not judged.")
@click.option("--name", metavar="N", help="The run's name, instead of the config's.")
@click.option("--profile", is_flag=True, help="Tell where the time went, also in profile.json of the run.")
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
    """Train the model that CONFIG describes; the run's directory is the last line of stdout."""
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
