"""What a person sees: progress, tables, problems. The only module that imports rich.

Data goes to stdout, everything else to stderr. Without a terminal: plain lines, one an epoch, no control characters.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dltrain.cli import diagnostics
from dltrain.cli.diagnostics import printable
from dltrain.errors import ConfigError, DltrainError, Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from dltrain.engine import EpochDone, Evaluation, Event, Finished, Prepared, SkippedCheckpoint, StepDone, Warned
    from dltrain.engine.events import Listener
    from dltrain.engine.rehearsal import Rehearsal
    from dltrain.runs import Run, RunSummary
    from dltrain.spec import Plan


def error(failure: DltrainError) -> None:
    """The message on stderr: of a config every problem at its place, of anything else what happened and the mend."""
    color = False if os.environ.get("NO_COLOR") else None
    if isinstance(failure, ConfigError):
        problems(failure.problems)
    head = "" if isinstance(failure, ConfigError) else click.style("error: ", fg="red", bold=True)
    click.echo(head + printable(failure.message), err=True, color=color)
    if failure.hint:
        click.echo(f"  {printable(failure.hint)}", err=True)


def problems(items: Sequence[Problem]) -> None:
    """Each problem on stderr, with a blank line behind it."""
    color = False if os.environ.get("NO_COLOR") else None
    for item in items:
        click.echo(diagnostics.text(item, diagnostics.terminal_width()) + "\n", err=True, color=color)


def _stderr() -> Console:
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, markup=False)


def number(value: object) -> str:
    """A metric as people read it: four decimals, or scientific where that would show nothing."""
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 100_000 else f"{value:.2e}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


@contextlib.contextmanager
def progress() -> Iterator[Listener]:
    """A listener that draws the engine's events: live on a terminal, one line an epoch elsewhere."""
    console = _stderr()
    listener: _Plain = _Live(console) if console.is_terminal else _Plain(console)
    try:
        yield listener
    finally:
        listener.close()


class _Plain:
    """One plain line an epoch."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, event: Event) -> None:
        handler = getattr(self, f"on_{type(event).__name__}", None)
        if handler is not None:
            handler(event)

    def close(self) -> None:
        """Nothing is drawn that would have to be taken away."""

    def line(self, text: str) -> None:
        self.console.print(printable(text), soft_wrap=True)

    def on_Warned(self, event: Warned) -> None:  # noqa: N802
        problems(event.problems)

    def on_SkippedCheckpoint(self, event: SkippedCheckpoint) -> None:  # noqa: N802
        self.close()
        self.line(f"passing over the checkpoint of epoch {event.epoch}: {event.reason}")

    def on_Prepared(self, event: Prepared) -> None:  # noqa: N802
        held_out = f", {event.validation_samples:,} held out" if event.validation_samples else ""
        smoke = "smoke run: " if event.smoke else ""
        self.line(f"{smoke}{event.train_samples:,} training samples{held_out}, {event.parameters:,} parameters")
        self.line(f"on {event.device}")

    def on_EpochDone(self, event: EpochDone) -> None:  # noqa: N802
        best = "  *" if event.best else ""
        width = len(str(event.epochs))
        self.line(
            f"epoch {event.epoch:>{width}}/{event.epochs}  {self.figures(event.metrics)}  "
            f"{duration(event.seconds)}  {event.samples_per_second:,.0f}/s{best}"
        )

    def figures(self, metrics: Mapping[str, float]) -> str:
        """Every metric under its own name, so that a log can be searched."""
        shown = {k: v for k, v in metrics.items() if k != "learning_rate"}
        return "  ".join(f"{name} {number(value)}" for name, value in _ordered(shown).items())

    def on_Finished(self, event: Finished) -> None:  # noqa: N802
        self.close()
        best = f", best epoch {event.best_epoch}" if event.best_epoch else ""
        self.line(f"{event.status} in {duration(event.seconds)}{best}")
        tested = {k: v for k, v in event.metrics.items() if k.startswith("test_")}
        if tested:
            self.line("  ".join(f"{name} {number(value)}" for name, value in _ordered(tested).items()))
        click.echo(str(event.path))


def _ordered(metrics: Mapping[str, float]) -> dict[str, float]:
    """Training before validation, the loss first."""
    return dict(sorted(metrics.items(), key=lambda item: (item[0].startswith("val_"), not item[0].endswith("loss"))))


class _Live(_Plain):
    """Bars for epochs and steps, with rate and time left; finished epochs scroll by above."""

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
        """Training, then validation in the same order, short enough for 80 columns with two metrics."""
        shown = _ordered({k: v for k, v in metrics.items() if k != "learning_rate"})
        text = " ".join(f"{name} {number(value)}" for name, value in shown.items() if not name.startswith("val_"))
        held_out = " ".join(number(value) for name, value in shown.items() if name.startswith("val_"))
        return f"{text}  val {held_out}" if held_out else text

    def on_Phase(self, event: Any) -> None:  # noqa: N802
        self.close()
        self.status = self.console.status(f"{event.text} …")
        self.status.start()

    def on_Prepared(self, event: Prepared) -> None:  # noqa: N802
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.close()
        super().on_Prepared(event)
        self.per_step = event.train_samples / event.steps
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            transient=True,
        )
        self.epochs = self.bars.add_task("epochs", total=event.epochs, note="")
        self.steps = self.bars.add_task("steps ", total=event.steps, note="")
        self.bars.start()

    def on_StepDone(self, event: StepDone) -> None:  # noqa: N802
        if self.bars is None or self.epochs is None or self.steps is None:
            return
        speed = self.bars.tasks[1].speed
        rate = f"{speed * self.per_step:,.0f}/s  " if speed else ""
        self.bars.update(self.steps, completed=event.step, note=f"{rate}loss {number(event.loss)}")
        self.bars.update(self.epochs, completed=event.epoch - 1 + event.step / event.steps)

    def on_EpochDone(self, event: EpochDone) -> None:  # noqa: N802
        super().on_EpochDone(event)
        if self.bars is not None and self.epochs is not None and self.steps is not None:
            self.bars.update(self.epochs, completed=event.epoch)
            self.bars.reset(self.steps, note="")


def checked(plan: Plan, rehearsal: Rehearsal | None, verbose: bool) -> None:
    """A config without errors in one line on stdout, with its layers and what its first batch showed where asked."""
    shaped = plan.checked.outline
    if rehearsal is not None:
        _layers([(row.name, row.output, row.parameters, row.multiply_adds) for row in rehearsal.layers])
        _rehearsal(rehearsal)
    elif verbose:
        rows = [(row.name, row.after.shape, row.after.parameters, row.after.multiply_adds) for row in shaped.rows]
        _layers(rows)
        if shaped.ended:
            click.echo(shaped.ended)
    layers = len(plan.spec.model.layers)
    facts = [f"{layers} layer{'s' if layers != 1 else ''}", f"data set {plan.spec.data.dataset.name}"]
    if shaped.shape is not None:
        facts.insert(1, f"{sum(row.after.parameters for row in shaped.rows):,} parameters")
    click.echo(f"{plan.file}: ok ({', '.join(facts)})")


def _layers(rows: Sequence[tuple[str, tuple[int | None, ...], int, int | None]]) -> None:
    """(name, shape of one output, parameters, multiply-adds) of each layer, with their sums."""
    cells = [
        [name, _shape(shape), f"{count:,}", "–" if operations is None else f"{operations:,}"]
        for name, shape, count, operations in rows
    ]
    total = f"{sum(row[2] for row in rows):,}"
    unknown = any(row[3] is None for row in rows)
    cells.append(["total", "", total, "–" if unknown else f"{sum(row[3] or 0 for row in rows):,}"])
    _table(["layer", "output", "parameters", "multiply-adds"], cells, right=(2, 3))
    click.echo()


def _shape(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"


def _rehearsal(found: Rehearsal) -> None:
    from dltrain.spec.sense_sizes import size

    expected = f" (guesses that are all alike: {found.expected_loss:.4g})" if found.expected_loss is not None else ""
    whose = "the GPU" if found.device.startswith("GPU") else "this process"
    facts = {
        "device": found.device,
        "loss at the start": f"{found.start_loss:.4g}{expected}",
        "time for an epoch": f"about {duration(found.epoch_seconds)}, {found.steps:,} steps; validation not counted",
        "memory at its peak": f"{size(found.peak_bytes)} of {whose}",
    }
    for key, value in facts.items():
        click.echo(f"{key:<20}{value}")
    click.echo()


def evaluation(result: Evaluation, path: Path) -> None:
    """The metrics of an evaluation on stdout, a line each."""
    click.echo(f"{result.run}: {result.split} split, {result.samples:,} samples")
    width = max(len(name) for name in result.metrics)
    for name, value in _ordered(result.metrics).items():
        click.echo(f"  {name:<{width}}  {number(value)}")
    click.echo(f"details in {path / 'eval'}", err=True)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Columns padded to their widest cell, on stdout; those in `right` stand at the right."""
    cells = [list(header), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        padded = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(padded).rstrip())


def run_list(summaries: Sequence[RunSummary], runs_dir: Path) -> None:
    if not summaries:
        click.echo(f"no runs in {runs_dir} yet; `dltrain fit CONFIG` makes one", err=True)
        return
    rows = []
    for summary in summaries:
        metrics = summary.record.get("metrics") or {}
        headline = next((name for name in ("test_accuracy", "test_loss") if name in metrics), None)
        smoke = " (smoke)" if summary.record.get("smoke") else ""
        result = f"{headline} {number(metrics[headline])}" if headline else ""
        epoch = summary.resumes_from()
        if epoch is not None:
            result = f"resumes behind epoch {epoch}" if epoch else "resumes from the beginning"
        rows.append([summary.id, summary.status + smoke, str(summary.record.get("best_epoch") or "–"), result])
    _table(["run", "status", "best epoch", "result"], rows)


def run(found: Run) -> None:
    """Where a run came from and what it reached, on stdout."""
    record = found.record()
    data = record.get("data", {})
    counts = ", ".join(f"{data.get(split)} {split}" for split in ("train", "validation", "test"))
    facts = {
        "run": found.path,
        "status": found.status() + (" (smoke)" if record.get("smoke") else ""),
        "created": record["created"],
        "command": record.get("command", ""),
        "data": f"{data.get('name')}: {counts}",
        "parameters": f"{record.get('parameters', 0):,}",
        "device": record.get("device", ""),
        "seed": record.get("seed", ""),
        "best epoch": record.get("best_epoch") or "–",
        **{name: number(value) for name, value in (record.get("metrics") or {}).items() if name.startswith("test_")},
    }
    for key, value in facts.items():
        click.echo(f"{key:<14}{printable(value)}")
    rows = found.metrics()
    if rows:
        names = [name for name in rows[0] if name not in ("epoch", "learning_rate", "seconds")]
        names = list(_ordered(dict.fromkeys(names, 0.0)))
        click.echo()
        _table(
            ["epoch", *names],
            [[str(row["epoch"]), *(number(row.get(name)) for name in names)] for row in rows],
        )
