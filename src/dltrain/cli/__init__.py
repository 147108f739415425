"""The command line: one module per verb, imported when the verb is used. Only click is imported here."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

VERBS = {
    "init": "Write a commented starter config.",
    "check": "Find every problem in a config, without starting TensorFlow.",
    "data": "Show what the model gets of its data, before anything is trained.",
    "fit": "Train the model that a config describes.",
    "resume": "Continue a run that was stopped, or extend a finished one.",
    "eval": "Evaluate a run's best weights.",
    "predict": "Predict with a run's best weights.",
    "ls": "List the runs.",
    "show": "Show one run and its metrics, epoch by epoch.",
    "schema": "Print the JSON Schema of a config, for editors.",
    "docs": "Explain a config key or a Keras object.",
    "env": "Print versions and devices, for a bug report.",
}

if "_DLTRAIN_COMPLETE" in os.environ:  # a shell asks
    import_module("dltrain.cli.completion")


def reader_left() -> NoReturn:
    """End as SIGPIPE does, which Python ignores: the reader of the output, such as `head`, has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # otherwise Python tries again at exit
    sys.exit(128 + signal.SIGPIPE)


class Verbs(click.Group):
    """A group that lists the verbs and their short help without importing their modules."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **options)  # which may print the help
        except BrokenPipeError:  # of which click makes a failure
            reader_left()

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            reader_left()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = import_module(f"dltrain.cli.{cmd_name}_command").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from dltrain.config.document.suggest import closest

            near = {"train": "fit", "evaluate": "eval", "list": "ls", "new": "init", "help": "docs"}.get(args[0])
            near = near or closest(args[0], VERBS)
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean '{near}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from dltrain import __version__

        click.echo(f"dltrain {__version__}")
        ctx.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
def cli() -> None:
    """Train Keras models from a YAML file, and get a run that can be trusted.

    \b
    dltrain check CONFIG      find every mistake before training
    dltrain fit CONFIG        train; the run is saved under runs/
    dltrain eval latest       evaluate it on the test split
    """
