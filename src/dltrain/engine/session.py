"""The session of a process: a started backend, its device, and how its cores are used."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dltrain.engine import ambient, backends
from dltrain.engine.events import Listener, Phase, ignore

if TYPE_CHECKING:
    from dltrain.config import Spec
    from dltrain.engine.backends.backend import Backend

DeviceKind = Literal["CPU", "GPU"]


@dataclass(frozen=True, slots=True)
class Device:
    """The device of a model; `count` is the number of cores available to the process, or of GPUs."""

    kind: DeviceKind
    name: str
    count: int

    def __str__(self) -> str:
        """Return the device as text: `GPU: NVIDIA H100`, `CPU: AMD EPYC (2 cores)`."""
        if self.kind == "CPU":
            return f"CPU: {self.name} ({self.count} core{'s' * (self.count != 1)})"
        return f"GPU: {self.name}" + (f" ({self.count} of them, one used)" if self.count > 1 else "")


@dataclass(frozen=True, slots=True)
class Cores:
    """How the cores of a CPU are used.

    Args:
        shards: in how many a batch is computed.
        threads: per operation; 0 for one per core.
        onednn: whether TensorFlow computes with oneDNN; None for its own choice, by the instructions of the CPU.
    """

    shards: int = 1
    threads: int = 0
    onednn: bool | None = None


ALL = Cores()  # for each operation


@dataclass(frozen=True, slots=True)
class Session:
    """A started backend, its device, and the cores that a model may use."""

    backend: Backend
    device: Device
    cores: Cores


@contextlib.contextmanager
def open_session(
    spec: Spec, cores: Cores = ALL, *, owns_process: bool = False, on_event: Listener = ignore
) -> Iterator[Session]:
    """Start the backend of a config and seed it; afterwards, give back what the process had.

    Args:
        spec: names the backend, the seed and whether operations are deterministic.
        cores: how they are used; by default as the process does.
        owns_process: whether the process exits afterwards, as a command does.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: the backend is not installed, Keras already uses another one in this process, another session is
            open in it, or the process has a setting that cannot be undone for the session.
    """
    on_event(Phase(f"starting {backends.TITLES[spec.runtime.backend]}"))
    with ambient.alone():
        backend = backends.choose(spec.runtime.backend, owns_process, cores.onednn)
        backend.start(cores.threads)
        with ambient.pinned(owns_process), backend.pinned():
            backend.seed(spec.seed, spec.train.deterministic)
            yield Session(backend, device_of(backend), replace(cores, threads=backend.threads()))


def device_of(backend: Backend) -> Device:
    """Return the first GPU that the backend finds, otherwise the CPU."""
    gpus = backend.gpus()
    return Device("GPU", gpus[0], len(gpus)) if gpus else Device("CPU", _cpu_name(), backends.cores())


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Set Keras's dtype policy inside the block, and restore the previous one afterwards."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
