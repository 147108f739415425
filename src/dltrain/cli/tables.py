"""Formats numbers and tables as plain text."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

import click

from dltrain.cli.diagnostics import printable

_MOST_METRICS = 16  # in a table; metrics.csv has all
_MOST_EPOCHS = 50
_MOST_TEXT = 10_000  # characters

if TYPE_CHECKING:
    from dltrain.engine import StoppedEarly
    from dltrain.runs import EarlyStop, InitialWeights, MachineRecord, Run, RunRecord, RunSummary, RuntimeRecord


def number(value: object) -> str:
    """Format a metric: four decimals, or scientific notation for very small or large values."""
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 100_000 else f"{value:.2e}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def why_stopped(stop: EarlyStop | StoppedEarly) -> str:
    """Return the reason of EarlyStopping, such as `val_loss was best in epoch 4, 0.1234`."""
    best = "" if stop.best is None else number(stop.best)
    gain = f" by min_delta {stop.min_delta:g}" if stop.min_delta else ""
    if stop.baseline is not None:
        reached = f" ({best} in epoch {stop.best_epoch})" if best else ""
        return f"{stop.monitor} did not reach the baseline {stop.baseline:g}{gain}{reached}"
    if gain:
        return f"no improvement of {stop.monitor}{gain} since epoch {stop.best_epoch}" + (f" ({best})" if best else "")
    return f"{stop.monitor} was best in epoch {stop.best_epoch}" + (f", {best}" if best else "")


def ordered(metrics: Mapping[str, float]) -> dict[str, float]:
    """Sort metrics: training before validation, the loss first, the numbers of single classes after all others."""

    def place(name: str) -> tuple[bool, bool, bool]:
        of_another = any(name.startswith(f"{other}_") for other in metrics)
        return of_another, name.startswith("val_"), not name.endswith("loss")

    return {name: metrics[name] for name in sorted(metrics, key=place)}


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Print a table to stdout; the columns in `right` are right-aligned."""
    cells = [[printable(short(cell, 80)) for cell in row] for row in (header, *rows)]
    widths = [max(wide(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        padded = [
            padding(cell, width) + cell if column in right else cell + padding(cell, width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(padded).rstrip())


def wide(text: str) -> int:
    """Return how many columns of a terminal a text takes: 2 for an emoji or a Chinese character, 0 for an accent."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def padding(text: str, width: int) -> str:
    """Return the spaces that a text lacks of a width."""
    return " " * (width - wide(text))


def short(value: object, length: int = 120) -> str:
    """Return a value as text of at most `length` characters: what a run says may be as long as its author liked."""
    text = str(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def run_list(summaries: Sequence[RunSummary], runs_dir: Path) -> None:
    if not summaries:
        click.echo(f"no runs in {runs_dir} yet; `dltrain fit CONFIG` creates one", err=True)
        return
    table(["run", "status", "best epoch", "result"], [_run_row(summary) for summary in summaries])
    copies = Counter(summary.id for summary in summaries)
    for summary in summaries:
        if summary.problem:
            click.echo(f"damaged: {printable(short(summary.problem))}", err=True)
        elif copies[summary.id] > 1:
            click.echo(
                f"one of {copies[summary.id]} directories with the id {short(summary.id)}: {short(summary.path)}",
                err=True,
            )


def _run_row(summary: RunSummary) -> list[str]:
    record, epoch = summary.record, summary.resumes_from()
    if record is None:
        return [summary.id, summary.status, "–", ""]
    headline = next((name for name in ("test_accuracy", "test_loss") if name in record.metrics), None)
    result = f"{headline} {number(record.metrics[headline])}" if headline else ""
    if record.expect is not None and record.expect.failed:
        result += ", expect failed"
    if summary.status == "running":
        result = f"epoch {summary.epochs_done()} of {record.epochs or '–'} done"
    elif epoch is not None:
        result = f"resumes after epoch {epoch}" if epoch else "resumes from the beginning"
    return [summary.id, summary.status + (" (smoke)" if record.smoke else ""), str(record.best_epoch or "–"), result]


def _chosen(runtime: RuntimeRecord) -> dict[str, str]:
    """Return the performance choices of a run, under the names of the keys that override them."""
    if not runtime.backend:  # the run stopped before anything was chosen
        return {}
    keys = ("feed", "steps_per_execution", "optimizer", "shards", "threads")
    found = {
        "runtime": ", ".join(
            f"{key} {getattr(runtime, key) or 'all'}" for key in keys if getattr(runtime, key) not in ("", None)
        ),
        "jit_compile": "true" if runtime.jit_compile else "",
        "precision": runtime.precision if runtime.precision and runtime.precision != "float32" else "",
        "recurrent": ", ".join(f"{name} {how}" for name, how in runtime.recurrent.items()),
    }
    return {key: text for key, text in found.items() if text}


def _machine(machine: MachineRecord | None) -> dict[str, str]:
    """Return what else may change the bits of a run: instructions, libraries, and variables of the environment."""
    if machine is None:
        return {}
    found = {
        "instructions": machine.instructions,
        "libraries": ", ".join(f"{name} {value}" for name, value in machine.libraries.items()),
        "environment": ", ".join(f"{name}={value}" for name, value in machine.environment.items()),
    }
    return {key: text for key, text in found.items() if text}


def _began(weights: InitialWeights | None) -> dict[str, str]:
    if weights is None:
        return {}
    of = f" (epoch {weights.epoch})" if weights.epoch is not None else ""
    return {"began with": f"{weights.matched:,} of {weights.weights:,} weights from {weights.source}{of}"}


def _stopped(record: RunRecord) -> dict[str, str]:
    stop = record.early_stop
    if stop is None:
        return {}
    return {"stopped": f"by EarlyStopping in epoch {stop.epoch}: {why_stopped(stop)}"}


def _fitting(names: Sequence[str]) -> list[str]:
    """Return the first names whose columns fit into the lines of the terminal; of a pipe, `_MOST_METRICS`."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    fitting = list(names[:_MOST_METRICS])
    while columns is not None and len(fitting) > 1 and _width(fitting) > columns:
        fitting.pop()
    return fitting


def _width(names: Sequence[str]) -> int:
    """Return the columns that a table of these metrics takes, with the epoch and the mark of the best one."""
    return len("epoch") + sum(2 + max(len(name), len("0.0000")) for name in names) + 3


def run(found: Run) -> None:
    """Print a run to stdout: its command, data, device and result, and its metrics epoch by epoch."""
    from dltrain.runs import summary_of

    record = found.record()
    summary = summary_of(found, record)
    epoch = summary.resumes_from()
    rows = found.metrics()
    data = record.data
    counts = f"{data.train} train, {data.validation} validation, {data.test} test"
    resumed = ", ".join(str(entry.from_epoch) for entry in record.resumed)
    forced = "; ".join(dict.fromkeys(change for entry in record.resumed for change in entry.forced))
    failed = "; ".join(record.expect.failed) if record.expect is not None else ""
    tested = {name: number(value) for name, value in ordered(record.metrics).items() if name.startswith("test_")}
    again = f"dltrain resume {quote(str(found.path))}"
    facts = {
        "run": found.path,
        "status": summary.status + (" (smoke)" if record.smoke else ""),
        "created": record.created.partition(".")[0] + "Z" if "." in record.created else record.created,
        "command": record.command,
        "data": f"{data.name}: {counts}",
        "parameters": f"{record.parameters or 0:,}",
        **_began(record.initial_weights),
        "device": record.device,
        **_machine(record.machine),
        **_chosen(record.runtime),
        "seed": record.seed,
        "epochs": f"{len(rows)} of {record.epochs or '–'}",
        **_stopped(record),
        **({"resumed": f"after epoch {resumed}"} if resumed else {}),
        **({"forced": f"although {forced}"} if forced else {}),
        **({"to continue": f"{again}  (after epoch {epoch})"} if epoch is not None else {}),
        "best epoch": record.best_epoch or "–",
        **dict(islice(tested.items(), _MOST_METRICS)),
        **({"expect": f"failed: {failed}"} if failed else {}),
    }
    width = max(12, *(len(printable(short(key, 60))) for key in facts))
    for key, value in facts.items():
        click.echo(f"{printable(short(key, 60)):<{width}}  {printable(short(value, 500))}")
    if rows:
        names = [name for name in rows[0] if name not in ("epoch", "learning_rate", "seconds")]
        every = list(ordered(dict.fromkeys(names, 0.0)))
        names, best = _fitting(every), record.best_epoch
        width = sum(2 + len(short(name, 80)) for name in names)
        count = min(_MOST_EPOCHS, max(5, _MOST_TEXT // (width + 10)))
        told = [row for row in rows[:-count] if row.get("epoch") == best] + rows[-count:]
        cells = [
            [str(row.get("epoch")), *(number(row.get(name)) for name in names), "*" if row.get("epoch") == best else ""]
            for row in told
        ]
        click.echo()
        table(["epoch", *names, ""], cells)
        if len(told) < len(rows) or len(names) < len(every):
            click.echo(
                f"{len(rows):,} epochs and {len(every):,} metrics are in {short(found.path)}/metrics.csv", err=True
            )
    if [row.get("epoch") for row in rows] != list(range(1, len(rows) + 1)):
        click.echo("epochs are missing in metrics.jsonl; `dltrain resume` restores them", err=True)
