"""Figures computed from counts, as TensorFlow Model Analysis metrics."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import apache_beam as beam
from tensorflow_model_analysis.metrics import metric_types

from components.evaluator.names import REASON
from trainer.jobs import dotted
from trainer.jobs.counting import Counts, Undefined

COUNTS = "COUNTS"
"""The name of the counting class in the module of a figure."""

Figure = Callable[[Any], float]
"""Takes the counts of a slice; returns the value of a metric, `Undefined` if it has none."""


class FigureMetric(metric_types.Metric):
    """A figure as a metric; all figures of one module share one counting pass.

    Args:
        name: The name of the metric.
        figure: The dotted path of the figure, `trainer.<task>.metrics:<function>`; its module has `COUNTS`.
        code: A digest of the figure's code, so that edited code invalidates the cache.
    """

    def __init__(self, name: str, figure: str, code: str = "") -> None:
        super().__init__(_computations, name=name, figure=figure, code=code)


def _computations(
    name: str, figure: str, code: str, model_names: list[str] | None = None
) -> metric_types.MetricComputations:
    del code
    counts: type[Counts] = dotted.load(f"{figure.partition(':')[0]}:{COUNTS}")
    inputs: dict[str, dict[str, Any]] = {"features": {name: {} for name in counts.FEATURES}, "predictions": {}}
    computations: metric_types.MetricComputations = []
    for model in model_names or [""]:
        # TFMA hides metrics whose names start with an underscore, and runs equal computations only once.
        counted = metric_types.MetricKey("_counts", model_name=model)
        preprocessor = metric_types.StandardMetricInputsPreprocessor(inputs, include_default_inputs=False)
        computations.append(metric_types.MetricComputation([counted], [preprocessor], _Count(counts, counted)))
        key = metric_types.MetricKey(name, model_name=model)
        result = functools.partial(_compute, dotted.load(figure), counted, key)
        computations.append(metric_types.DerivedMetricComputation([key], result))
    return computations


def _compute(
    figure: Figure,
    counted: metric_types.MetricKey,
    key: metric_types.MetricKey,
    metrics: Mapping[metric_types.MetricKey, Any],
) -> dict[metric_types.MetricKey, float | str]:
    value = figure(metrics[counted])
    if isinstance(value, Undefined):
        return {key: math.nan, key._replace(name=f"{key.name}{REASON}"): value.reason}
    return {key: value}


class _Count(beam.CombineFn):
    """Counts the predictions of a model."""

    def __init__(self, counts: type[Counts], key: metric_types.MetricKey) -> None:
        self._counts, self._key = counts, key

    def create_accumulator(self) -> Counts:
        return self._counts()

    def add_input(self, accumulator: Counts, element: metric_types.StandardMetricInputs) -> Counts:
        features = element.get_features() if self._counts.FEATURES else {}
        accumulator.add_record(element.get_predictions(self._key.model_name), features)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        total = self._counts()
        for accumulator in accumulators:
            total.update(accumulator)
        return total

    def extract_output(self, accumulator: Counts) -> dict[metric_types.MetricKey, Counts]:
        return {self._key: accumulator}
