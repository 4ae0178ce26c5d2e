"""Metrics of taggers for TensorFlow Model Analysis, over raw tagged SequenceExamples.

A model's signature `judge` gives for each sentence `tags` and `given`, string [batch, time], `length`, int64 [batch],
and `loss`, float32 [batch]. All figures are the same however Beam shards the sentences.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from components.evaluator import counted_metrics
from components.evaluator.counted_metrics import Answer, CountedMetric, share, unrounded
from trainer.tagger.spans import not_span_tags, spans


@dataclasses.dataclass
class Counts(counted_metrics.Counts):
    """What sentences add up to.

    Attributes:
        tokens: Tokens.
        correct: Those whose tag is right.
        given: Spans of the given tags.
        predicted: Spans of the model's tags.
        found: Spans that are both.
        others: Tokens with a tag, given or the model's, that marks no span.
    """

    tokens: int = 0
    correct: int = 0
    given: int = 0
    predicted: int = 0
    found: int = 0
    others: int = 0

    def add(self, given: Sequence[str], predicted: Sequence[str], loss: float) -> None:
        """Counts one sentence.

        Args:
            given: Its tags.
            predicted: As many, the model's.
            loss: The sum of the tokens' losses.
        """
        others = len(not_span_tags([*given, *predicted]))
        wanted, found = (set(), set()) if others else (spans(given), spans(predicted))
        self.tokens += len(given)
        self.correct += sum(one == other for one, other in zip(given, predicted, strict=True))
        self.loss += unrounded(loss)
        self.given += len(wanted)
        self.predicted += len(found)
        self.found += len(wanted & found)
        self.others += others

    def add_answer(self, answer: Answer) -> None:
        """Counts what the signature `judge` gives for a sentence."""
        length = int(answer["length"].item())
        given, predicted = ([tag.decode() for tag in answer[name].flat[:length]] for name in ("given", "tags"))
        self.add(given, predicted, float(answer["loss"].item()))


def token_accuracy(counts: Counts) -> float:
    """Returns the share of the tokens whose tag is right."""
    return counts.correct / counts.tokens if counts.tokens else math.nan


def token_loss(counts: Counts) -> float:
    """Returns the mean loss of the tokens."""
    return float(counts.loss / counts.tokens) if counts.tokens else math.nan


def span_precision(counts: Counts) -> float:
    """Returns the share of the model's spans that are given, 0 where there are none; NaN where tags mark no spans."""
    return math.nan if counts.others else share(counts.found, counts.predicted)


def span_recall(counts: Counts) -> float:
    """Returns the share of the given spans that the model finds, 0 where there are none; NaN as `span_precision`."""
    return math.nan if counts.others else share(counts.found, counts.given)


def span_f1(counts: Counts) -> float:
    """Returns the harmonic mean of precision and recall over all types of spans, micro-averaged as seqeval's."""
    return math.nan if counts.others else share(2 * counts.found, counts.given + counts.predicted)


class TokenAccuracy(CountedMetric, counts=Counts, figure=token_accuracy, name="token_accuracy"):
    """The figure `token_accuracy`."""


class TokenLoss(CountedMetric, counts=Counts, figure=token_loss, name="loss"):
    """The figure `token_loss`."""


class SpanPrecision(CountedMetric, counts=Counts, figure=span_precision, name="span_precision"):
    """The figure `span_precision`."""


class SpanRecall(CountedMetric, counts=Counts, figure=span_recall, name="span_recall"):
    """The figure `span_recall`."""


class SpanF1(CountedMetric, counts=Counts, figure=span_f1, name="span_f1"):
    """The figure `span_f1`."""
