"""Terminal output: progress, tables, problems. The only module that imports rich.

Data goes to stdout, everything else to stderr. Without a terminal, output is one plain line per epoch, without control
characters.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

import click

from dltrain.cli import diagnostics
from dltrain.cli.diagnostics import printable
from dltrain.cli.tables import duration, number, ordered, table, why_stopped
from dltrain.errors import ConfigError, DltrainError, Interrupted, Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from dltrain.config import Plan
    from dltrain.engine import (
        EpochDone,
        Evaluation,
        Event,
        Finished,
        Loaded,
        Phase,
        Prepared,
        Profiled,
        Resuming,
        StepDone,
        StoppedEarly,
    )
    from dltrain.engine.dry_run import DryRun
    from dltrain.engine.events import Listener


_MOST_FRESH = 8


def error(failure: DltrainError) -> None:
    """Print an error to stderr: each problem of a config with its place, otherwise the message and the hint."""
    color = False if os.environ.get("NO_COLOR") else None
    if isinstance(failure, ConfigError):
        problems(failure.problems)
    # The problems of a config are printed above this line, and a stop on request is no error.
    head = "" if isinstance(failure, ConfigError | Interrupted) else click.style("error: ", fg="red", bold=True)
    click.echo(head + printable(failure.message), err=True, color=color)
    if failure.hint:
        hint = f"to continue: {failure.hint}" if isinstance(failure, Interrupted) else f"  {failure.hint}"
        click.echo(printable(hint), err=True)


def problems(items: Sequence[Problem]) -> None:
    """Print each problem to stderr, followed by an empty line."""
    color = False if os.environ.get("NO_COLOR") else None
    for item in items:
        click.echo(diagnostics.text(item, diagnostics.terminal_width()) + "\n", err=True, color=color)


def _stderr() -> Console:
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, markup=False)


@contextlib.contextmanager
def progress() -> Iterator[Listener]:
    """Yield a listener that displays the engine's events: live on a terminal, else one line per epoch."""
    console = _stderr()
    listener: _Plain = _Live(console) if console.is_terminal else _Plain(console)
    try:
        yield listener
    finally:
        listener.close()


class _Plain:
    """Prints one plain line per epoch."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.mute = False
        self.told: set[str] = set()  # warnings
        self.stopped_by: str | None = None  # the metric by which EarlyStopping ended the run
        self.hidden: frozenset[str] = frozenset({"learning_rate"})  # metrics that a line has no room for

    def __call__(self, event: Event) -> None:
        from dltrain.engine.events import Finished

        if not self.mute:
            try:
                self.show(event)
            except (OSError, SystemExit):  # stderr is closed or full, which must not stop the training
                self.mute = True
        if isinstance(event, Finished):
            # Ctrl-C also ends the reader of a pipe, and SIGHUP the terminal; later messages go to stderr.
            with contextlib.suppress(BrokenPipeError if event.status == "completed" else OSError):
                click.echo(printable(event.path))

    def show(self, event: Event) -> None:
        from dltrain.engine import events

        match event:
            case events.Phase():
                self.show_phase(event)
            case events.Warned():
                problems([problem for problem in event.problems if problem.message not in self.told])
                self.told.update(problem.message for problem in event.problems)  # the check tells some of the data's
            case events.SkippedCheckpoint():
                self.close()
                self.line(f"skipping the checkpoint of epoch {event.epoch}: {event.reason}")
            case events.Noted():
                self.close()
                self.line(event.text)
            case events.Loaded():
                self.show_loaded(event)
            case events.Stopping():
                self.close()
                self.line("stopping after this step; press Ctrl-C again to stop at once")
            case events.Left():
                self.close()
                error(event.error)
            case events.Resuming():
                self.show_resuming(event)
            case events.Prepared():
                self.show_prepared(event)
            case events.StepDone():
                self.show_step(event)
            case events.EpochDone():
                self.show_epoch(event)
            case events.StoppedEarly():
                self.show_stopped(event)
            case events.Profiled():
                self.show_profile(event)
            case events.Finished():
                self.show_finished(event)
            case _:
                assert_never(event)

    def show_phase(self, event: Phase) -> None:
        """Show nothing: only a terminal shows phases."""

    def show_step(self, event: StepDone) -> None:
        """Show nothing: only a terminal shows steps."""

    def close(self) -> None:
        """Do nothing: plain lines need no cleanup."""

    def line(self, text: str) -> None:
        self.console.print(printable(text), soft_wrap=True)

    def row(self, text: str) -> None:
        """Show a line of metrics; a log has lines of any length."""
        self.line(text)

    def show_resuming(self, event: Resuming) -> None:
        self.close()
        none = "from the beginning: no intact checkpoint"
        where = f"after epoch {event.epoch} of {event.epochs}" if event.epoch else none
        self.line(f"resuming {event.path} {where}")

    def show_loaded(self, event: Loaded) -> None:
        self.close()
        of = f" (epoch {event.epoch})" if event.epoch is not None else ""
        self.line(f"initial weights: {event.matched:,} of {event.weights:,} from {event.source}{of}")
        if event.fresh:
            more = f", and {len(event.fresh) - _MOST_FRESH:,} more" if len(event.fresh) > _MOST_FRESH else ""
            self.line(f"  not from there: {', '.join(event.fresh[:_MOST_FRESH])}{more}")

    def show_prepared(self, event: Prepared) -> None:
        self.hidden |= {f"{split}{part}" for part in event.metric_parts for split in ("", "val_", "test_")}
        held_out = f", {event.validation_samples:,} for validation" if event.validation_samples else ""
        smoke = "smoke run: " if event.smoke else ""
        trained = f", {event.trained:,} of them trained" if event.trained is not None else ""
        counts = f"{event.train_samples:,} training samples{held_out}, {event.parameters:,} parameters{trained}"
        self.line(f"{smoke}{counts}")
        backend = "" if event.backend == "TensorFlow" else f", {event.backend}"
        precision = "" if event.precision == "float32" else f", {event.precision}"
        compiled = ", XLA compiles the first steps" if event.jit_compile else ""
        self.line(f"on {event.device}{backend}{precision}{compiled}")

    def show_epoch(self, event: EpochDone) -> None:
        best = "  *" if event.best else ""
        width = len(str(event.epochs))
        text = f"epoch {event.epoch:>{width}}/{event.epochs}  {self.figures(event.metrics)}  {duration(event.seconds)}"
        rate = f"  {event.samples_per_second:,.0f}/s"
        self.row(f"{text}{rate if self.has_room(text + rate + best) else ''}{best}")

    def has_room(self, text: str) -> bool:
        """Return whether `text` fits into one line; a log has lines of any length."""
        return True

    def figures(self, metrics: Mapping[str, float]) -> str:
        """Format every metric with its full name, so a log can be searched; the journal has those of each class."""
        shown = {k: v for k, v in metrics.items() if k not in self.hidden}
        return "  ".join(f"{name} {number(value)}" for name, value in ordered(shown).items())

    def show_stopped(self, event: StoppedEarly) -> None:
        self.close()
        self.stopped_by = event.monitor
        self.line(f"EarlyStopping ended the run in epoch {event.epoch} of {event.epochs}: {why_stopped(event)}")

    def show_profile(self, event: Profiled) -> None:
        self.close()
        self.line("where the time went:")
        for name, seconds, share in event.rows:
            if share is not None:
                self.line(f"  {name:<32}{seconds:8.2f} s  {share:4.0%}")
        self.line(f"  {'total':<32}{sum(row[1] for row in event.rows if row[2] is not None):8.2f} s")
        for name, seconds, share in event.rows:
            if share is None:
                self.line(f"  {name:<32}{seconds:8.2f} s  (parallel to the steps)")

    def show_finished(self, event: Finished) -> None:
        self.close()
        best = f", best epoch {event.best_epoch}" if event.best_epoch else ""
        if best and self.stopped_by not in (None, event.monitor):
            best += f" by {event.monitor}"
        self.line(f"{event.status} in {duration(event.seconds)}{best}")
        tested = {k: v for k, v in event.metrics.items() if k.startswith("test_") and k not in self.hidden}
        if tested:
            self.row("  ".join(f"{name} {number(value)}" for name, value in ordered(tested).items()))


class _Live(_Plain):
    """Draws bars for epochs and steps, with rate and remaining time; finished epochs scroll above."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.bars: Progress | None = None
        self.status: Any = None
        self.epochs: TaskID | None = None
        self.steps: TaskID | None = None
        self.per_step = 0.0

    def close(self) -> None:
        if self.status is not None:
            self.status.stop()
            self.status = None
        if self.bars is not None:
            self.bars.stop()
            self.bars = None

    def figures(self, metrics: Mapping[str, float]) -> str:
        """Format training metrics, then validation values in the same order; two metrics fit into 80 columns."""
        shown = ordered({k: v for k, v in metrics.items() if k not in self.hidden})
        text = " ".join(f"{name} {number(value)}" for name, value in shown.items() if not name.startswith("val_"))
        held_out = " ".join(number(value) for name, value in shown.items() if name.startswith("val_"))
        return f"{text}  val {held_out}" if held_out else text

    def has_room(self, text: str) -> bool:
        return len(text) <= self.console.width

    def row(self, text: str) -> None:
        """Show a line of metrics; one that is too long breaks between words."""
        self.console.print(printable(text))

    def show_phase(self, event: Phase) -> None:
        self.close()
        self.status = self.console.status(f"{event.text} …")
        self.status.start()

    def show_prepared(self, event: Prepared) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.close()
        super().show_prepared(event)
        self.per_step = event.train_samples / event.steps
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[whole]}/{task.total}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            transient=True,
        )
        self.epochs = self.bars.add_task("epochs", total=event.epochs, note="", whole=0)
        self.steps = self.bars.add_task("steps ", total=event.steps, note="", whole=0)
        self.bars.start()

    def show_step(self, event: StepDone) -> None:
        bars = self.bars  # a signal handler can set it to None at any moment
        if bars is None or self.epochs is None or self.steps is None:
            return
        speed = bars.tasks[1].speed
        rate = f"{speed * self.per_step:,.0f}/s  " if speed else ""
        bars.update(self.steps, completed=event.step, whole=event.step, note=f"{rate}loss {number(event.loss)}")
        bars.update(self.epochs, completed=event.epoch - 1 + event.step / event.steps, whole=event.epoch - 1)

    def show_epoch(self, event: EpochDone) -> None:
        super().show_epoch(event)
        bars = self.bars
        if bars is not None and self.epochs is not None and self.steps is not None:
            bars.update(self.epochs, completed=event.epoch, whole=event.epoch)
            bars.reset(self.steps, note="", whole=0)


def checked(plan: Plan, tried: DryRun | None, verbose: bool) -> None:
    """Print the summary of a valid config to stdout: the layers and the dry run if requested, then one line."""
    shaped = plan.checked.outline
    if tried is not None:
        _layers([(row.name, row.output, row.parameters, row.macs) for row in tried.layers])
        _dry_run(tried)
    elif verbose:
        rows = [(row.name, row.after.shape, row.after.parameters, row.after.macs) for row in shaped.rows]
        _layers(rows)
        if shaped.ended:
            click.echo(shaped.ended)
    layers = len(plan.spec.model.layers)
    facts = [f"{layers} layer{'s' if layers != 1 else ''}", f"data set {plan.spec.data.dataset.name}"]
    if shaped.shape is not None:
        facts.insert(1, f"{sum(row.after.parameters for row in shaped.rows):,} parameters")
    if plan.spec.train.precision != "float32":
        facts.append(plan.precision)
    click.echo(f"{plan.file}: ok ({', '.join(facts)})")


def _layers(rows: Sequence[tuple[str, tuple[int | None, ...], int, int | None]]) -> None:
    """Print a table of (name, output shape of one sample, parameters, MACs) per layer, with totals."""
    cells = [
        [name, _shape(shape), f"{count:,}", "–" if operations is None else f"{operations:,}"]
        for name, shape, count, operations in rows
    ]
    total = f"{sum(row[2] for row in rows):,}"
    unknown = any(row[3] is None for row in rows)
    cells.append(["total", "", total, "–" if unknown else f"{sum(row[3] or 0 for row in rows):,}"])
    table(["layer", "output", "parameters", "MACs"], cells, right=(2, 3))
    click.echo()


def _shape(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"


def _dry_run(found: DryRun) -> None:
    from dltrain.config.checks.sense.sizes import size

    expected = f" (uniform guesses: {found.expected_loss:.4g})" if found.expected_loss is not None else ""
    whose = "the GPU" if found.device.kind == "GPU" else "this process"
    facts = {
        "device": str(found.device),
        "initial loss": f"{found.start_loss:.4g}{expected}",
        "time per epoch": f"about {duration(found.epoch_seconds)}, {found.steps:,} steps; without validation",
        "peak memory": f"{size(found.peak_bytes)} of {whose}",
    }
    for key, value in facts.items():
        click.echo(f"{key:<20}{value}")
    click.echo()


def predicted(count: int, metrics: Mapping[str, float] | None, output: Path | None) -> None:
    """Tell on stderr how many samples were predicted, and their metrics where there were targets."""
    scores = "".join(f"  {name} {number(value)}" for name, value in ordered(metrics or {}).items())
    click.echo(f"{count:,} sample{'s' if count != 1 else ''}{scores}", err=True)
    if output is not None:
        click.echo(printable(output), err=True)


def evaluation(result: Evaluation, path: Path) -> None:
    """Print an evaluation to stdout: the metrics, one per line, and the sheet."""
    from dltrain.cli import sheet

    epoch = f", weights of epoch {result.epoch}" if result.epoch else ""
    click.echo(f"{printable(result.run)}: {result.split} split, {result.samples:,} samples{epoch}")
    width = max(len(name) for name in result.metrics)
    for name, value in ordered(result.metrics).items():
        click.echo(f"  {name:<{width}}  {number(value)}")
    if result.sheet is not None:
        sheet.show(result.sheet)
    click.echo(f"details in {printable(path / 'eval')}", err=True)
