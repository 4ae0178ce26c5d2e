"""Small results of a Beam pipeline, returned to the executor through a file.

A file survives retries and works on every runner; Beam's counters do neither.
"""

from __future__ import annotations

import json
from typing import Any

import apache_beam as beam
import tensorflow as tf


class WriteJson(beam.PTransform):
    """Writes all elements, JSON values, as one JSON list."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def expand(self, input_or_inputs: beam.PCollection) -> beam.PCollection:  # noqa: D102
        return input_or_inputs | beam.combiners.ToList() | beam.Map(write_json, self._path)


def write_json(value: Any, path: str) -> None:
    """Writes a JSON value atomically to any file system that TensorFlow supports."""
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    with tf.io.gfile.GFile(f"{path}.partial", "w") as file:
        file.write(json.dumps(value))
    tf.io.gfile.rename(f"{path}.partial", path, overwrite=True)


def read_json(path: str) -> Any:
    """Reads a JSON value."""
    with tf.io.gfile.GFile(path) as file:
        return json.loads(file.read())
