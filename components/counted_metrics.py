"""Metrics for TensorFlow Model Analysis that are made of counts: counted once for all metrics of a model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import apache_beam as beam
from tensorflow_model_analysis.metrics import metric_types

_INPUTS: dict[str, dict[str, Any]] = {"predictions": {}}

Figure = Callable[[Any], float]
"""From the counts of a slice to a metric's value."""


class CountedMetric(metric_types.Metric):
    """A metric of counts.

    Args:
        figure: Makes the value.
        count: Makes what counts the answers of a model, from the key of the counts.
        name: The metric's name.
        code: A digest of the code that runs, so that edited code is not served from cache.
    """

    def __init__(
        self, figure: Figure, count: Callable[[metric_types.MetricKey], beam.CombineFn], name: str, code: str
    ) -> None:
        super().__init__(functools.partial(_computations, figure, count), name=name, code=code)


def _computations(
    figure: Figure,
    count: Callable[[metric_types.MetricKey], beam.CombineFn],
    name: str,
    code: str,
    model_names: list[str] | None = None,
) -> metric_types.MetricComputations:
    """Counts for each model, once for all metrics, and makes a figure of the counts."""
    del code
    computations: metric_types.MetricComputations = []
    for model in model_names or [""]:
        # TFMA keeps to itself what starts so.
        counted = metric_types.MetricKey("_counts", model_name=model)
        inputs = metric_types.StandardMetricInputsPreprocessor(_INPUTS, include_default_inputs=False)
        computations.append(metric_types.MetricComputation([counted], [inputs], count(counted)))
        key = metric_types.MetricKey(name, model_name=model)
        result = functools.partial(_result, figure, counted, key)
        computations.append(metric_types.DerivedMetricComputation([key], result))
    return computations


def _result(
    figure: Figure,
    counted: metric_types.MetricKey,
    key: metric_types.MetricKey,
    metrics: Mapping[metric_types.MetricKey, Any],
) -> dict[metric_types.MetricKey, float]:
    return {key: figure(metrics[counted])}
