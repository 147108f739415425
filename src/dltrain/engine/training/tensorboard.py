"""Event files with the tags that Keras's own TensorBoard callback writes, from every backend."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from io import FileIO
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT
from tensorboard.summary.writer.record_writer import RecordWriter

from dltrain.runs import Run, atomic


class EventWriter:
    """Scalars by epoch under `tensorboard/train/` and `tensorboard/validation/` of a run.

    Its methods raise RunError if a write fails.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._files: dict[str, FileIO] = {}
        plugin = SummaryMetadata.PluginData(plugin_name="scalars")
        self._metadata = SummaryMetadata(plugin_data=plugin, data_class=1)  # 1: scalar

    def write(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Write one point per metric at step `epoch`, counted from 1; `val_loss` is `epoch_loss` of `validation`."""
        with atomic.trouble("write", self._run.path / "tensorboard"):
            for name, value in metrics.items():
                split = "validation" if name.startswith("val_") else "train"
                tensor = TensorProto(dtype=DT_FLOAT, float_val=[value], tensor_shape=TensorShapeProto())
                tag = f"epoch_{name.removeprefix('val_')}"
                point = Summary.Value(tag=tag, tensor=tensor, metadata=self._metadata)
                self._add(split, Event(step=epoch, summary=Summary(value=[point])))

    def close(self) -> None:
        with atomic.trouble("write", self._run.path / "tensorboard"):
            for file in self._files.values():
                file.close()

    def _add(self, split: str, event: Any) -> None:
        if split not in self._files:
            file = (
                self._run.make_folder(f"tensorboard/{split}") / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}.v2"
            )
            self._files[split] = file.open("xb", buffering=0)  # a record is one write: nothing is left to flush
            self._add(split, Event(file_version="brain.Event:2"))
        event.wall_time = time.time()
        RecordWriter(self._files[split]).write(event.SerializeToString())
