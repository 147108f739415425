"""Figures and tables as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dltrain.cli.diagnostics import printable

if TYPE_CHECKING:
    from dltrain.runs import Run, RunSummary


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


def ordered(metrics: Mapping[str, float]) -> dict[str, float]:
    """Training before validation, the loss first."""
    return dict(sorted(metrics.items(), key=lambda item: (item[0].startswith("val_"), not item[0].endswith("loss"))))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Columns padded to their widest cell, on stdout; those in `right` stand at the right."""
    cells = [[printable(cell) for cell in header], *([printable(cell) for cell in row] for row in rows)]
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
        if (summary.record.get("expect") or {}).get("failed"):
            result += ", expect failed"
        epoch = summary.resumes_from()
        if summary.status == "running":
            result = f"epoch {summary.epochs_done()} of {summary.record.get('epochs', '–')} done"
        elif epoch is not None:
            result = f"resumes after epoch {epoch}" if epoch else "resumes from the beginning"
        rows.append([summary.id, summary.status + smoke, str(summary.record.get("best_epoch") or "–"), result])
    table(["run", "status", "best epoch", "result"], rows)


def _chosen(runtime: object) -> dict[str, str]:
    """What was chosen for speed, by the names of the keys that would choose otherwise."""
    if not isinstance(runtime, Mapping):
        return {}
    keys = [key for key in ("feed", "steps_per_execution", "optimizer", "threads") if key in runtime]
    layers = runtime.get("recurrent")
    faster = [f"{name} {how}" for name, how in layers.items()] if isinstance(layers, Mapping) else []
    found = {
        "runtime": ", ".join(f"{key} {runtime[key]}" for key in keys),
        "recurrent": ", ".join(faster),
    }
    return {key: text for key, text in found.items() if text}


def run(found: Run) -> None:
    """Where a run came from and what it reached, on stdout."""
    from dltrain.runs import summary_of

    record, summary = found.record(), summary_of(found)
    epoch = summary.resumes_from()
    rows = found.metrics()
    resumed = [entry.get("from_epoch") for entry in record.get("resumed") or ()]
    failed = (record.get("expect") or {}).get("failed") or ""
    data = record.get("data") or {}
    counts = ", ".join(f"{data.get(split)} {split}" for split in ("train", "validation", "test"))
    facts = {
        "run": found.path,
        "status": found.status() + (" (smoke)" if record.get("smoke") else ""),
        "created": record["created"].partition(".")[0] + "Z" if "." in record["created"] else record["created"],
        "command": record.get("command", ""),
        "data": f"{data.get('name')}: {counts}",
        "parameters": f"{record.get('parameters') or 0:,}",
        "device": record.get("device", ""),
        **_chosen(record.get("runtime")),
        "seed": record.get("seed", ""),
        "epochs": f"{len(rows)} of {record.get('epochs', '–')}",
        **({"resumed": f"after epoch {', '.join(map(str, resumed))}"} if resumed else {}),
        **({"goes on": f"after epoch {epoch}: dltrain resume {found.path}"} if epoch is not None else {}),
        "best epoch": record.get("best_epoch") or "–",
        **{name: number(value) for name, value in (record.get("metrics") or {}).items() if name.startswith("test_")},
        **({"expect": f"failed: {'; '.join(map(str, failed))}"} if failed else {}),
    }
    for key, value in facts.items():
        click.echo(f"{printable(key):<14}{printable(value)}")
    if rows:
        names = [name for name in rows[0] if name not in ("epoch", "learning_rate", "seconds")]
        names = list(ordered(dict.fromkeys(names, 0.0)))
        best = record.get("best_epoch")
        cells = [
            [str(row.get("epoch")), *(number(row.get(name)) for name in names), "*" if row.get("epoch") == best else ""]
            for row in rows
        ]
        click.echo()
        table(["epoch", *names, ""], cells)
    if [row.get("epoch") for row in rows] != list(range(1, len(rows) + 1)):
        click.echo("epochs are missing in metrics.jsonl: `dltrain resume` writes them again", err=True)
