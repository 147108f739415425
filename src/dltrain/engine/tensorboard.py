"""Event files with the tags that Keras's own TensorBoard callback writes, from every backend."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT
from tensorboard.summary.writer.record_writer import RecordWriter


class EventWriter:
    """Scalars by epoch under `train/` and `validation/` of a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, BinaryIO] = {}
        plugin = SummaryMetadata.PluginData(plugin_name="scalars")
        self._metadata = SummaryMetadata(plugin_data=plugin, data_class=1)  # 1: scalar

    def write(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """One point a metric at step `epoch`; `val_loss` becomes `epoch_loss` of `validation`."""
        for name, value in metrics.items():
            split = "validation" if name.startswith("val_") else "train"
            tensor = TensorProto(dtype=DT_FLOAT, float_val=[value], tensor_shape=TensorShapeProto())
            tag = f"epoch_{name.removeprefix('val_')}"
            point = Summary.Value(tag=tag, tensor=tensor, metadata=self._metadata)
            self._add(split, Event(step=epoch, summary=Summary(value=[point])))
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _add(self, split: str, event: Any) -> None:
        if split not in self._files:
            folder = self._directory / split
            folder.mkdir(parents=True, exist_ok=True)
            self._files[split] = (folder / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}.v2").open("xb")
            self._add(split, Event(file_version="brain.Event:2"))
        event.wall_time = time.time()
        RecordWriter(self._files[split]).write(event.SerializeToString())
