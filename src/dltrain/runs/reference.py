"""Resolve RUN as users type it: a directory, an id or its prefix, `latest~1`, `best:METRIC`."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path

from dltrain.calls import path_of
from dltrain.directions import bare, direction_of
from dltrain.errors import UsageError
from dltrain.runs.record import FILE_NAME
from dltrain.runs.run import Run
from dltrain.runs.store import RunSummary, list_runs

_LATEST = re.compile(r"latest(?:~([0-9]{1,9}))?")
_SHOWN = 5
_SHOWN_NAMES = 20


def find(reference: Run | os.PathLike[str] | str, runs_dir: os.PathLike[str] | str = "runs") -> Run:
    """Return the run that `reference` names.

    `latest` is the last line of the list of runs, so it counts damaged runs too. `best:METRIC` compares the finite
    `metrics` of each run.json; of equal values, the newest run wins.

    Raises:
        UsageError: no run matches, or several do; the message lists the runs that exist.
        RunError: `runs_dir` cannot be read.
    """
    if isinstance(reference, Run):
        return reference
    reference = reference if isinstance(reference, str) else str(path_of(reference, "a run"))
    runs_dir = path_of(runs_dir, "`runs_dir`")
    latest = _LATEST.fullmatch(reference)
    metric = reference.removeprefix("best:") if reference.startswith("best:") else None
    if latest is None and metric is None:
        directory = _directory(reference)
        if directory is not None:
            return Run(directory)
    summaries = list_runs(runs_dir)
    if not summaries:
        raise _nothing(reference, runs_dir, summaries)
    if latest is not None:
        return Run(_latest(int(latest[1] or 0), runs_dir, summaries).path)
    if metric is not None:
        return Run(_best(metric, runs_dir, summaries).path)
    return Run(_prefixed(reference, runs_dir, summaries).path)


def _directory(reference: str) -> Path | None:
    if not reference.strip() or "\0" in reference:
        return None
    path = Path(reference)
    try:
        if not (path / FILE_NAME).is_file():
            return None
        return path.resolve() if path.name in ("", "..") else path
    except (OSError, ValueError):
        # A name too long, a folder without permission: it is not a readable run.
        return None


def _latest(back: int, runs_dir: Path, summaries: Sequence[RunSummary]) -> RunSummary:
    if back >= len(summaries):
        count = f"{len(summaries)} run{'s' if len(summaries) != 1 else ''}"
        raise UsageError(f"no run `latest~{back}`: {runs_dir} holds {count}", _existing(summaries))
    return summaries[-1 - back]


def _best(metric: str, runs_dir: Path, summaries: Sequence[RunSummary]) -> RunSummary:
    scored = [(value, run) for run in summaries if (value := _metrics(run).get(metric)) is not None]
    if not scored:
        known = sorted({name for run in summaries for name in _metrics(run)})
        hint = f"metrics there: {', '.join(known[:_SHOWN_NAMES])}" if known else "no run there has final metrics yet"
        raise UsageError(f"no run in {runs_dir} has the metric {metric[:80]!r}", hint)
    ways = {way for _, run in scored if (way := _direction(run, metric)) is not None}
    if len(ways) != 1:
        which = "its runs disagree whether" if ways else "it is not known whether"
        message = f"{which} a low or a high `{metric[:80]}` is better"
        ids = _ids([run for _, run in scored])
        hint = f"`checkpoint: {{monitor: …, mode: min}}` in a config says it; name a run by its id: {ids}"
        raise UsageError(message, hint)
    sign = -1 if ways == {"min"} else 1
    return max(reversed(scored), key=lambda pair: sign * pair[0])[1]


def _direction(run: RunSummary, metric: str) -> str | None:
    """Return which values of a metric are better, as the run recorded it; runs of older versions have Keras's names."""
    recorded = run.record.directions if run.record else {}
    return recorded.get(bare(metric), direction_of(bare(metric)))


def _metrics(run: RunSummary) -> dict[str, float]:
    return {name: value for name, value in (run.record.metrics if run.record else {}).items() if not math.isnan(value)}


def _prefixed(reference: str, runs_dir: Path, summaries: Sequence[RunSummary]) -> RunSummary:
    def fits(run: RunSummary) -> bool:
        return any(name.startswith(reference) for name in (run.id, run.path.name))

    matches = [run for run in summaries if reference and fits(run)]
    found = [run for run in matches if run.path.name == reference]  # at most one
    found = found or [run for run in matches if run.id == reference] or matches
    if not found:
        raise _nothing(reference, runs_dir, summaries)
    if len(found) == 1:
        return found[0]
    same = len({run.id for run in found}) == 1
    hint = f"type more of the id: {_ids(found)}"
    if same:
        hint = f"the directories {', '.join(str(run.path) for run in found[:_SHOWN])} have this id: name one of them"
    raise UsageError(f"{reference[:80]!r} fits {len(found)} runs in {runs_dir}", hint)


def _nothing(reference: str, runs_dir: Path, summaries: Sequence[RunSummary]) -> UsageError:
    return UsageError(
        f"no run {reference[:80]!r} in {runs_dir}, nor a run directory of that name", _existing(summaries)
    )


def _existing(summaries: Sequence[RunSummary]) -> str:
    return f"newest first: {_ids(summaries)}" if summaries else "no runs yet; `dltrain fit CONFIG` makes one"


def _ids(summaries: Sequence[RunSummary]) -> str:
    newest = [run.id for run in reversed(summaries)]
    more = len(newest) - _SHOWN
    return ", ".join(newest[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
