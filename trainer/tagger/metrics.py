"""Metrics of taggers.

The signature `judge` returns for each sentence `tags` and `given`, string [batch, time], `length`, int64 [batch], and
`loss`, float32 [batch]. Tags are compared by name, because tag ids differ between models.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from trainer.jobs.counting import Arrays, Counts, Undefined, mean, share, unrounded
from trainer.tagger.spans import not_span_tags, spans


@dataclasses.dataclass
class TagCounts(Counts):
    """Counts over sentences.

    Attributes:
        tokens: The tokens.
        correct: Tokens with the right tag.
        given: Spans of the true tags.
        predicted: Spans of the predicted tags.
        found: Spans that are both.
        others: True and predicted tags that are not span tags.
    """

    tokens: int = 0
    correct: int = 0
    given: int = 0
    predicted: int = 0
    found: int = 0
    others: int = 0

    def add(self, given: Sequence[str], predicted: Sequence[str], loss: float) -> None:
        """Counts one sentence: its true tags, as many predicted ones, and the sum of the tokens' losses."""
        others = len(not_span_tags([*given, *predicted]))
        wanted, found = (set(), set()) if others else (spans(given), spans(predicted))
        self.tokens += len(given)
        self.correct += sum(one == other for one, other in zip(given, predicted, strict=True))
        self.loss += unrounded(loss)
        self.given += len(wanted)
        self.predicted += len(found)
        self.found += len(wanted & found)
        self.others += others

    def add_record(self, answer: Arrays, features: Arrays) -> None:
        """Counts a sentence from the outputs of the signature `judge`."""
        del features
        length = int(answer["length"].item())
        given, predicted = ([tag.decode() for tag in answer[name].flat[:length]] for name in ("given", "tags"))
        self.add(given, predicted, float(answer["loss"].item()))


COUNTS = TagCounts


def token_accuracy(counts: TagCounts) -> float:
    """Returns the share of tokens with the right tag."""
    return mean(counts.correct, counts.tokens)


def token_loss(counts: TagCounts) -> float:
    """Returns the mean loss of the tokens."""
    return mean(counts.loss, counts.tokens)


def span_precision(counts: TagCounts) -> float:
    """Returns the share of predicted spans that are right; undefined without any, or if a tag is not a span tag."""
    return _of_spans(counts, counts.found, counts.predicted, "predicted span")


def span_recall(counts: TagCounts) -> float:
    """Returns the share of true spans that are predicted; undefined without any, or if a tag is not a span tag."""
    return _of_spans(counts, counts.found, counts.given, "span")


def span_f1(counts: TagCounts) -> float:
    """Returns the harmonic mean of span precision and recall, micro-averaged over span types as in seqeval."""
    return _of_spans(counts, 2 * counts.found, counts.given + counts.predicted, "span")


def _of_spans(counts: TagCounts, part: int, whole: int, absent: str) -> float:
    if counts.others:
        return Undefined("has tags that are not tags of BIO, BIOES or BILOU")
    return share(part, whole, absent)
