"""Reads the metrics that TensorFlow Model Analysis wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.evaluator.names import REASON
from trainer.data.tfrecords import stream
from trainer.jobs.counting import Undefined

OVERALL = "overall"

Metrics = Mapping[str, Mapping[str, float]]
"""Value by metric, by slice: "overall", "source=imdb"."""


def read_metrics(directory: str, model: str | None = None) -> Metrics:
    """Reads the metrics of a model; those that have no value are `Undefined`.

    Args:
        directory: The Evaluator's output.
        model: `candidate` or `baseline` if both were evaluated.
    """
    # TensorFlow Model Analysis reads the same files, but takes seconds to import.
    paths = sorted(tf.io.gfile.glob(f"{directory}/metrics-*.tfrecord"))
    slices = map(metrics_for_slice_pb2.MetricsForSlice.FromString, stream(paths).as_numpy_iterator())
    return {slice_name(_key(found.slice_key)): _values(found, model) for found in slices}


def slice_name(values: Mapping[str, Any]) -> str:
    """Returns the name of a slice from its values, source first."""
    ordered = sorted(values.items(), key=lambda pair: pair[0] != "source")
    return ",".join(f"{name}={value}" for name, value in ordered) or OVERALL


def _key(key: metrics_for_slice_pb2.SliceKey) -> dict[str, Any]:
    """Returns the values of a slice's features by name."""
    values = {one.column: getattr(one, one.WhichOneof("kind")) for one in key.single_slice_keys}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def _values(found: metrics_for_slice_pb2.MetricsForSlice, model: str | None) -> dict[str, float]:
    values: dict[str, float] = {}
    for metric in found.metric_keys_and_values:
        name, kind = metric.key.name, metric.value.WhichOneof("type")
        # Differences from the baseline are skipped.
        if metric.key.is_diff or (model and metric.key.model_name not in ("", model)):
            continue
        if kind == "double_value":
            values.setdefault(name, metric.value.double_value.value)
        elif kind == "bytes_value" and name.endswith(REASON):
            values[name.removesuffix(REASON)] = Undefined(metric.value.bytes_value.decode())
    return values
