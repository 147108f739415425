"""The run directory: crash-safe files of a training run.

Standard library only: bytes and JSON-able values in and out.
"""

from __future__ import annotations

from dltrain.runs import atomic, provenance
from dltrain.runs.json_text import finite_number
from dltrain.runs.record import (
    STATUSES,
    DataRecord,
    EarlyStop,
    ExpectRecord,
    InitialWeights,
    MachineRecord,
    Resumption,
    RunRecord,
    RuntimeRecord,
    Status,
)
from dltrain.runs.reference import find
from dltrain.runs.run import CRASHED, Run, config_digest
from dltrain.runs.store import DAMAGED, RunSummary, create, ensure_writable, list_runs, summary_of

__all__ = [
    "CRASHED",
    "DAMAGED",
    "STATUSES",
    "DataRecord",
    "EarlyStop",
    "ExpectRecord",
    "InitialWeights",
    "MachineRecord",
    "Resumption",
    "Run",
    "RunRecord",
    "RunSummary",
    "RuntimeRecord",
    "Status",
    "atomic",
    "config_digest",
    "create",
    "ensure_writable",
    "find",
    "finite_number",
    "list_runs",
    "provenance",
    "summary_of",
]
