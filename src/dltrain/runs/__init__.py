"""The run directory: what a training run writes, so that it can be trusted after a crash.

Standard library only: bytes and JSON-able values in and out.
"""

from __future__ import annotations

from dltrain.runs import atomic, provenance
from dltrain.runs.names import slug, valid_name
from dltrain.runs.record import STATUSES, Status
from dltrain.runs.reference import find
from dltrain.runs.run import CRASHED, Run
from dltrain.runs.store import DAMAGED, RunSummary, create, ensure_writable, list_runs, remove, summary_of

__all__ = [
    "CRASHED",
    "DAMAGED",
    "STATUSES",
    "Run",
    "RunSummary",
    "Status",
    "atomic",
    "create",
    "ensure_writable",
    "find",
    "list_runs",
    "provenance",
    "remove",
    "slug",
    "summary_of",
    "valid_name",
]
