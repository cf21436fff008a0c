"""Event files that TensorBoard shows: `tensorboard --logdir <run>/tensorboard`."""

from pathlib import Path
from typing import Any

# DATA_CLASS_SCALAR of TensorFlow's summary.proto.
_SCALAR = 1


class EventFiles:
    """Scalars of several stages, a folder each; nothing where TensorFlow is not installed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def add(self, stage: str, step: int, figures: dict[str, float]) -> None:
        """Writes figures by name, and flushes."""
        try:
            import tensorflow as tf
        except ImportError:  # a machine that learns by JAX
            return
        if stage not in self._writers:
            self._writers[stage] = tf.summary.create_file_writer(str(self._folder / stage))
        with self._writers[stage].as_default():
            for name, value in figures.items():
                # As tf.summary.scalar does, which needs the tensorboard package for it.
                kind = tf.compat.v1.SummaryMetadata(data_class=_SCALAR)
                kind.plugin_data.plugin_name = "scalars"
                tf.summary.write(name, tf.constant(value, tf.float32), step=step, metadata=kind)
        self._writers[stage].flush()

    def close(self) -> None:
        """Ends the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
