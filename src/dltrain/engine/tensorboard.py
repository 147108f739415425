"""Event files with the tags that Keras's own TensorBoard callback writes, without needing TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf


class EventWriter:
    """Scalars by epoch under `train/` and `validation/` of a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._writers: dict[str, tf.summary.SummaryWriter] = {}
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
        self._metadata = tf.compat.v1.SummaryMetadata(plugin_data=plugin, data_class=1)  # 1: scalar

    def write(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """One point a metric at step `epoch`; `val_loss` becomes `epoch_loss` of `validation`."""
        for name, value in metrics.items():
            split = "validation" if name.startswith("val_") else "train"
            if split not in self._writers:
                self._writers[split] = tf.summary.create_file_writer(str(self._directory / split))
            with self._writers[split].as_default():
                tag = f"epoch_{name.removeprefix('val_')}"
                tf.summary.write(tag, tf.constant(value, tf.float32), step=epoch, metadata=self._metadata)
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
