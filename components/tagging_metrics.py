"""Metrics of taggers for TensorFlow Model Analysis, over raw tagged SequenceExamples.

A model's signature `judge` gives for each sentence `tags` and `given`, string [batch, time], `length`, int64 [batch],
and `loss`, float32 [batch]. All figures are the same however Beam shards the sentences.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import apache_beam as beam
from tensorflow_model_analysis.metrics import metric_types

from components.counted_metrics import CountedMetric, Figure
from trainer.tagger.spans import not_span_tags, spans


class Counts(NamedTuple):
    """What sentences add up to.

    Attributes:
        tokens: Tokens.
        correct: Those whose tag is right.
        loss: The sum of their losses in nats, without rounding; a float if one is no finite number.
        given: Spans of the given tags.
        predicted: Spans of the model's tags.
        found: Spans that are both.
        others: Tokens with a tag, given or the model's, that marks no span.
    """

    tokens: int = 0
    correct: int = 0
    loss: Fraction | float = Fraction(0)
    given: int = 0
    predicted: int = 0
    found: int = 0
    others: int = 0

    @classmethod
    def of(cls, given: Sequence[str], predicted: Sequence[str], loss: float) -> Counts:
        """Counts one sentence.

        Args:
            given: Its tags.
            predicted: As many, the model's.
            loss: The sum of the tokens' losses.
        """
        exact = Fraction(loss) if math.isfinite(loss) else loss
        correct = sum(one == other for one, other in zip(given, predicted, strict=True))
        others = len(not_span_tags([*given, *predicted]))
        wanted, found = (set(), set()) if others else (spans(given), spans(predicted))
        return cls(len(given), correct, exact, len(wanted), len(found), len(wanted & found), others)

    def plus(self, other: Counts) -> Counts:
        """Adds others."""
        return Counts(
            tokens=self.tokens + other.tokens,
            correct=self.correct + other.correct,
            loss=self.loss + other.loss,
            given=self.given + other.given,
            predicted=self.predicted + other.predicted,
            found=self.found + other.found,
            others=self.others + other.others,
        )


def token_accuracy(counts: Counts) -> float:
    """Returns the share of the tokens whose tag is right."""
    return counts.correct / counts.tokens if counts.tokens else math.nan


def token_loss(counts: Counts) -> float:
    """Returns the mean loss of the tokens."""
    return float(counts.loss / counts.tokens) if counts.tokens else math.nan


def span_precision(counts: Counts) -> float:
    """Returns the share of the model's spans that are given, 0 where there are none; NaN where tags mark no spans."""
    return math.nan if counts.others else _share(counts.found, counts.predicted)


def span_recall(counts: Counts) -> float:
    """Returns the share of the given spans that the model finds, 0 where there are none; NaN as `span_precision`."""
    return math.nan if counts.others else _share(counts.found, counts.given)


def span_f1(counts: Counts) -> float:
    """Returns the harmonic mean of precision and recall over all types of spans, micro-averaged as seqeval's."""
    return math.nan if counts.others else _share(2 * counts.found, counts.given + counts.predicted)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


class _TaggingMetric(CountedMetric):
    """A metric of tags."""

    def __init__(self, figure: Figure, name: str, code: str) -> None:
        super().__init__(figure, _Count, name, code)


class TokenAccuracy(_TaggingMetric):
    """The figure `token_accuracy`."""

    def __init__(self, name: str = "token_accuracy", code: str = "") -> None:
        super().__init__(token_accuracy, name, code)


class TokenLoss(_TaggingMetric):
    """The figure `token_loss`."""

    def __init__(self, name: str = "loss", code: str = "") -> None:
        super().__init__(token_loss, name, code)


class SpanPrecision(_TaggingMetric):
    """The figure `span_precision`."""

    def __init__(self, name: str = "span_precision", code: str = "") -> None:
        super().__init__(span_precision, name, code)


class SpanRecall(_TaggingMetric):
    """The figure `span_recall`."""

    def __init__(self, name: str = "span_recall", code: str = "") -> None:
        super().__init__(span_recall, name, code)


class SpanF1(_TaggingMetric):
    """The figure `span_f1`."""

    def __init__(self, name: str = "span_f1", code: str = "") -> None:
        super().__init__(span_f1, name, code)


class _Count(beam.CombineFn):
    """Counts the sentences of a model."""

    def __init__(self, key: metric_types.MetricKey) -> None:
        self._key = key

    def create_accumulator(self) -> Counts:
        return Counts()

    def add_input(self, accumulator: Counts, element: metric_types.StandardMetricInputs) -> Counts:
        said = element.get_predictions(self._key.model_name)
        length = int(said["length"].item())
        given, predicted = ([tag.decode() for tag in said[name].flat[:length]] for name in ("given", "tags"))
        return accumulator.plus(Counts.of(given, predicted, float(said["loss"].item())))

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        return functools.reduce(Counts.plus, accumulators, Counts())

    def extract_output(self, accumulator: Counts) -> dict[metric_types.MetricKey, Counts]:
        return {self._key: accumulator}
