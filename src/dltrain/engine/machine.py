"""The machine under a run, as far as it decides bits: device, cores, instruction set, libraries, environment."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dltrain.engine import backends
from dltrain.engine.session import Session
from dltrain.runs import MachineRecord

# What the kernels of NumPy, Eigen, oneDNN and XLA choose by; not every flag of a processor.
_INSTRUCTIONS = re.compile(r"(sse4|avx|fma|f16c|amx|asimd|neon|sve|sme(?!p)|bf16|i8mm|altivec|vsx)")
# Variables by which TensorFlow, XLA, JAX, oneDNN, OpenMP, BLAS, NumPy and CUDA's libraries choose how they compute.
_VARIABLES = re.compile(
    r"(TF|XLA|JAX|ONEDNN|DNNL|OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|NPY|CUDNN|CUBLAS|CUBLASLT|NCCL|MIOPEN|HIPBLASLT)_"
    r"|(NVIDIA_TF32_OVERRIDE|LIBXSMM_TARGET|GLIBC_TUNABLES)$"
)
# Of these, those that say where files are, what is logged, or how memory is taken.
_OTHERS = re.compile(
    r".*(_DIR|_PATH|_HOME|_ROOT|_FILE|LOG|DUMP|CACHE|ALLOC|GROWTH|MEMORY|LEGACY_KERAS)|XLA_PYTHON_CLIENT_|TF_CONFIG$"
)
_LONGEST = 200  # characters


def machine_of(session: Session) -> MachineRecord:
    """Return the machine of a session; it is read before and after a resume, and compared."""
    device = session.device
    return MachineRecord(
        device=f"{device.kind}: {device.name}",
        cores=backends.cores(),
        instructions=instructions(),
        libraries=session.backend.libraries(),
        environment=environment(),
    )


def instructions() -> str:
    """Return the vector instructions of the processor, sorted, such as `avx avx2 fma`; empty if it does not tell."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() in ("flags", "features"):
                return " ".join(sorted({flag for flag in value.split() if _INSTRUCTIONS.match(flag)}))
    return ""


def environment() -> dict[str, str]:
    """Return the variables of the environment that may change results, by name; a long value ends in its hash."""
    found = {name: value for name, value in os.environ.items() if _VARIABLES.match(name) and not _OTHERS.match(name)}
    return {name: _short(found[name]) for name in sorted(found)}


def _short(value: str) -> str:
    clean = value.encode("utf-8", "replace").decode()
    return clean if len(clean) <= _LONGEST else f"{clean[:_LONGEST]}… {hashlib.sha256(clean.encode()).hexdigest()[:16]}"


def differences(before: MachineRecord, now: MachineRecord) -> Iterator[str]:
    """Yield a sentence for each difference that may change bits; on the same GPU, the processor does not count."""
    if before.device != now.device:
        yield f"the device was {before.device or 'not recorded'} and is {now.device}"
    elif now.device.startswith("CPU"):
        if before.cores != now.cores:
            yield f"it had {_cores(before.cores)} and has {_cores(now.cores)}"
        if before.instructions != now.instructions:
            had, has = set(before.instructions.split()), set(now.instructions.split())
            changed = [
                *(f"without {flag}" for flag in sorted(had - has)),
                *(f"with {flag}" for flag in sorted(has - had)),
            ]
            yield f"the processor is now {', '.join(changed[:6])}"
    yield from _changed("", before.libraries, now.libraries)
    yield from _changed("the variable ", before.environment, now.environment)


def _cores(count: int | None) -> str:
    return f"{count} core{'s' * (count != 1)}"


def _changed(kind: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            unset = "not set" if kind else "not there"
            yield f"{kind}{name} was {before.get(name, unset)} and is {now.get(name, unset)}"
