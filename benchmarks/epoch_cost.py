"""Print as JSON the seconds of each epoch after the first, which traces, and of saving after it.

`python epoch_cost.py CONFIG OVERRIDES`, the overrides as a JSON list.
"""

import json
import sys
import tempfile
import time
from collections.abc import Mapping

import dltrain
from dltrain.engine.training.recorder import Recorder

kept: list[float] = []
epochs: list[float] = []
save = Recorder.on_epoch_end


def timed(self: Recorder, epoch: int, logs: Mapping[str, float] | None = None) -> None:
    """Save as usual and record the duration."""
    epochs.append(self._trained - self._started)
    started = time.perf_counter()
    save(self, epoch, logs)
    kept.append(time.perf_counter() - started)


Recorder.on_epoch_end = timed  # type: ignore[method-assign]
with tempfile.TemporaryDirectory() as folder:
    dltrain.fit(sys.argv[1], json.loads(sys.argv[2]), runs_dir=folder)
print(json.dumps({"kept": kept[1:], "epochs": epochs[1:]}))
