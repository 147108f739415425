"""Arguments and options shared by several verbs."""

from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli import completion

config_argument = click.argument("config", type=click.Path(path_type=Path), shell_complete=completion.configs)
override_option = click.option(
    "-s",
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    shell_complete=completion.keys,
    help="Override a config key, as in -s train.epochs=1. Repeatable.",
)
runs_dir_option = click.option(
    "--runs-dir",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Directory of the runs.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Show all TensorFlow output.")


def _stay_offline(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        from dltrain.data.downloads.remote import offline

        context.with_resource(offline())


offline_option = click.option(
    "--offline",
    is_flag=True,
    expose_value=False,
    callback=_stay_offline,
    help="Download no data set; so does DLTRAIN_OFFLINE=1.",
)
run_argument = click.argument("run", metavar="RUN", shell_complete=completion.runs)
