"""Metrics for TensorFlow Model Analysis that are made of counts: counted once for all metrics of a model."""

from __future__ import annotations

import abc
import dataclasses
import functools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, ClassVar

import apache_beam as beam
from tensorflow_model_analysis.metrics import metric_types

_INPUTS: dict[str, dict[str, Any]] = {"predictions": {}}

Answer = Mapping[str, Any]
"""What a model's signature gives for one record: NumPy arrays by name."""


@dataclasses.dataclass
class Counts(abc.ABC):
    """What records add up to; subclasses add fields, numbers and Counters, and count nothing at first.

    Attributes:
        loss: The sum of the records' losses in nats, without rounding; a float if one is no finite number.
    """

    loss: Fraction | float = Fraction(0)

    @abc.abstractmethod
    def add_answer(self, answer: Answer) -> None:
        """Counts what a model says of one record."""

    def update(self, other: Counts) -> None:
        """Adds others of the same kind."""
        for field in dataclasses.fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if isinstance(mine, Counter):
                mine.update(theirs)  # A sum would leave out what counts 0.
            else:
                setattr(self, field.name, mine + theirs)


def unrounded(loss: float) -> Fraction | float:
    """Gives a loss that adds up without rounding, as far as it is finite."""
    return Fraction(loss) if math.isfinite(loss) else loss


def share(part: int, whole: int) -> float:
    """Divides counts; a share of nothing is 0."""
    return part / whole if whole else 0.0


Figure = Callable[[Any], float]
"""From the counts of a slice to a metric's value."""


class CountedMetric(metric_types.Metric):
    """A metric of counts; a class of its own for each figure, for Model Analysis finds metrics by class.

    Args:
        name: The metric's name, where it is not to be the usual one.
        code: A digest of the code that runs, so that edited code is not served from cache.
    """

    _counts: ClassVar[type[Counts]]
    _figure: ClassVar[Figure]
    _name: ClassVar[str]

    def __init_subclass__(cls, counts: type[Counts], figure: Figure, name: str) -> None:
        """Says what is counted, the figure that is made of it, and the metric's usual name."""
        super().__init_subclass__()
        cls._counts, cls._figure, cls._name = counts, figure, name

    def __init__(self, name: str = "", code: str = "") -> None:
        own = type(self)
        computations = functools.partial(_computations, own._counts, own._figure)
        super().__init__(computations, name=name or own._name, code=code)


def _computations(
    counts: type[Counts], figure: Figure, name: str, code: str, model_names: list[str] | None = None
) -> metric_types.MetricComputations:
    """Counts for each model, once for all metrics, and makes a figure of the counts."""
    del code
    computations: metric_types.MetricComputations = []
    for model in model_names or [""]:
        # TFMA keeps to itself what starts so.
        counted = metric_types.MetricKey("_counts", model_name=model)
        inputs = metric_types.StandardMetricInputsPreprocessor(_INPUTS, include_default_inputs=False)
        computations.append(metric_types.MetricComputation([counted], [inputs], _Count(counts, counted)))
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


class _Count(beam.CombineFn):
    """Counts the answers of a model."""

    def __init__(self, counts: type[Counts], key: metric_types.MetricKey) -> None:
        self._counts, self._key = counts, key

    def create_accumulator(self) -> Counts:
        return self._counts()

    def add_input(self, accumulator: Counts, element: metric_types.StandardMetricInputs) -> Counts:
        accumulator.add_answer(element.get_predictions(self._key.model_name))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        total = self._counts()
        for accumulator in accumulators:
            total.update(accumulator)
        return total

    def extract_output(self, accumulator: Counts) -> dict[metric_types.MetricKey, Counts]:
        return {self._key: accumulator}
