from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dltrain.cli.options import config_argument, offline_option, override_option

if TYPE_CHECKING:
    from dltrain.config import Plan
    from dltrain.engine.dry_run import DryRun
    from dltrain.errors import Problem


@click.command("check")
@config_argument
@override_option
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How to report problems: for people, as a JSON list, or as GitHub workflow annotations.",
)
@click.option("--resolved", is_flag=True, help="Print the complete config with the origin of each value.")
@click.option("--build", is_flag=True, help="Also build the model with Keras and run one batch through it.")
@offline_option
@click.option("-v", "--verbose", is_flag=True, help="Show the layers and their shapes, and all TensorFlow output.")
def command(
    config: Path, overrides: tuple[str, ...], strict: bool, form: str, resolved: bool, build: bool, verbose: bool
) -> None:
    """Find every problem in CONFIG at once, without starting TensorFlow.

    The exit code is 2 if there is an error, 0 if there are only warnings.
    """
    from dltrain.cli import console, diagnostics
    from dltrain.config import load
    from dltrain.errors import ConfigError

    _tell_of_another_keras()
    report = {"text": console.problems, "json": _echo(diagnostics.as_json), "github": _echo(diagnostics.as_github)}[
        form
    ]
    tried = None
    try:
        plan = load(config, overrides, strict=strict)
        if build:
            tried = _dry_run(plan, verbose)
            if strict and tried.warnings:
                raise plan.refusal(tried.warnings)
    except ConfigError as error:
        if form == "text":
            raise
        report(error.problems)
        raise click.exceptions.Exit(error.exit_code) from None
    report([*plan.checked.warnings, *(tried.warnings if tried is not None else ())])
    if form != "text":
        return
    if resolved:
        click.echo(plan.origins(), nl=False)
    else:
        console.checked(plan, tried, verbose)


def _tell_of_another_keras() -> None:
    """Say on stderr where Keras is installed in another minor version than the catalogue was made from.

    No problem of the config, so neither `--strict` nor a format sees it.
    """
    from importlib import metadata

    from dltrain.config.catalogue.entries import keras_version

    try:
        installed = metadata.version("keras")
    except metadata.PackageNotFoundError:
        return
    known = ".".join(keras_version().split(".")[:2])
    if f"{installed}.".startswith(f"{known}."):
        return
    cure = f"pip install 'keras=={known}.*'"
    click.echo(f"note: Keras {installed} is installed, but dltrain checks against Keras {known}: {cure}", err=True)


def _echo(render: Callable[[Sequence[Problem]], str]) -> Callable[[Sequence[Problem]], None]:
    def report(problems: Sequence[Problem]) -> None:
        if told := render(problems):
            click.echo(told)

    return report


def _dry_run(plan: Plan, verbose: bool) -> DryRun:
    from dltrain.cli import console, quiet

    with quiet.tensorflow(verbose), console.progress() as on_event:
        from dltrain.engine.dry_run import dry_run

        return dry_run(plan, owns_process=True, on_event=on_event)
