"""Metrics of classifiers of any number of labels for TensorFlow Model Analysis, over raw SequenceExamples.

A model's signature `judge` gives for each document `labels`, the names of all classes, string [batch, classes],
`predicted`, bool [batch, classes], `given`, its own labels, string [batch, most labels], filled up with "", and `loss`,
float32 [batch]. Labels are compared by name, for the ids of one model's classes mean nothing to another. All figures
are the same however Beam shards the documents.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Collection, Iterable
from fractions import Fraction

import apache_beam as beam
from tensorflow_model_analysis.metrics import metric_types

from components.counted_metrics import CountedMetric, Figure


@dataclasses.dataclass
class Counts:
    """What documents add up to.

    Attributes:
        documents: Documents.
        exact: Those with exactly the labels that are given.
        loss: The sum of their losses in nats, without rounding; a float if one is no finite number.
        given: Documents that have a label, by label; 0 of a class that none has.
        predicted: Documents to which the model gives it.
        found: Documents that are both.
    """

    documents: int = 0
    exact: int = 0
    loss: Fraction | float = Fraction(0)
    given: Counter[str] = dataclasses.field(default_factory=Counter)
    predicted: Counter[str] = dataclasses.field(default_factory=Counter)
    found: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, classes: Iterable[str], given: Collection[str], predicted: Collection[str], loss: float) -> None:
        """Counts one document.

        Args:
            classes: All classes of the model.
            given: The document's labels.
            predicted: Those that the model gives it.
            loss: Its loss.
        """
        self.documents += 1
        self.exact += set(given) == set(predicted)
        self.loss += Fraction(loss) if math.isfinite(loss) else loss
        self.given.update(dict.fromkeys(classes, 0))
        self.given.update(given)
        self.predicted.update(predicted)
        self.found.update(set(given) & set(predicted))

    def update(self, other: Counts) -> None:
        """Adds others."""
        self.documents += other.documents
        self.exact += other.exact
        self.loss += other.loss
        for name in ("given", "predicted", "found"):
            getattr(self, name).update(getattr(other, name))


def exact_match(counts: Counts) -> float:
    """Returns the share of the documents with exactly the labels that are given."""
    return counts.exact / counts.documents if counts.documents else math.nan


def mean_loss(counts: Counts) -> float:
    """Returns the mean loss of the documents."""
    return float(counts.loss / counts.documents) if counts.documents else math.nan


def micro_precision(counts: Counts) -> float:
    """Returns the share of the predicted labels that are given; 0 where there are none, as of all that follow."""
    return _share(counts.found.total(), counts.predicted.total())


def micro_recall(counts: Counts) -> float:
    """Returns the share of the given labels that the model finds."""
    return _share(counts.found.total(), counts.given.total())


def micro_f1(counts: Counts) -> float:
    """Returns the harmonic mean of micro precision and recall."""
    return _share(2 * counts.found.total(), counts.given.total() + counts.predicted.total())


def macro_f1(counts: Counts) -> float:
    """Returns the mean of the F1 of the classes, those included that no document has."""
    found = [_share(2 * counts.found[name], counts.given[name] + counts.predicted[name]) for name in counts.given]
    return math.fsum(found) / len(found) if found else math.nan


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


class _LabelMetric(CountedMetric):
    """A metric of labels."""

    def __init__(self, figure: Figure, name: str, code: str) -> None:
        super().__init__(figure, _Count, name, code)


class ExactLabels(_LabelMetric):
    """The figure `exact_match`; a metric of that name is among TensorFlow Model Analysis' own."""

    def __init__(self, name: str = "accuracy", code: str = "") -> None:
        super().__init__(exact_match, name, code)


class LabelLoss(_LabelMetric):
    """The figure `mean_loss`."""

    def __init__(self, name: str = "loss", code: str = "") -> None:
        super().__init__(mean_loss, name, code)


class MicroF1(_LabelMetric):
    """The figure `micro_f1`."""

    def __init__(self, name: str = "micro_f1", code: str = "") -> None:
        super().__init__(micro_f1, name, code)


class MacroF1(_LabelMetric):
    """The figure `macro_f1`."""

    def __init__(self, name: str = "macro_f1", code: str = "") -> None:
        super().__init__(macro_f1, name, code)


class MicroPrecision(_LabelMetric):
    """The figure `micro_precision`."""

    def __init__(self, name: str = "micro_precision", code: str = "") -> None:
        super().__init__(micro_precision, name, code)


class MicroRecall(_LabelMetric):
    """The figure `micro_recall`."""

    def __init__(self, name: str = "micro_recall", code: str = "") -> None:
        super().__init__(micro_recall, name, code)


class _Count(beam.CombineFn):
    """Counts the documents of a model."""

    def __init__(self, key: metric_types.MetricKey) -> None:
        self._key = key

    def create_accumulator(self) -> Counts:
        return Counts()

    def add_input(self, accumulator: Counts, element: metric_types.StandardMetricInputs) -> Counts:
        said = element.get_predictions(self._key.model_name)
        classes = [name.decode() for name in said["labels"].flat]
        predicted = [name for name, chosen in zip(classes, said["predicted"].flat, strict=True) if chosen]
        given = [name.decode() for name in said["given"].flat if name]
        accumulator.add(classes, given, predicted, float(said["loss"].item()))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        total = Counts()
        for accumulator in accumulators:
            total.update(accumulator)
        return total

    def extract_output(self, accumulator: Counts) -> dict[metric_types.MetricKey, Counts]:
        return {self._key: accumulator}
