"""Metrics of word vectors over the records of EvaluationSets, from the answers of the signature `judge`."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.data.kinds import SOURCE
from trainer.jobs.counting import Arrays, Counts, Undefined
from trainer.vectors.judgement_features import ANALOGY, DOCUMENTS, SCORE, SIMILARITY, TASK


class Judgement(NamedTuple):
    """A record and the model's answer.

    Attributes:
        task: `SIMILARITY`, `ANALOGY` or `DOCUMENTS`.
        source: The evaluation set.
        score: The human similarity rating of the pair.
        known: 1 if the model knows all words, else 0.
        similarity: The similarity of the pair in the model.
        correct: 1 if the analogy is solved, else 0.
        loss: The held-out loss of the document, summed over its pairs of words, in nats.
        pairs: The number of these pairs.
    """

    task: str
    source: str
    score: float = 0.0
    known: float = 1.0
    similarity: float = 0.0
    correct: float = 0.0
    loss: float = 0.0
    pairs: float = 0.0


@dataclasses.dataclass
class Judgements(Counts):
    """The judgements of all records."""

    FEATURES: ClassVar[tuple[str, ...]] = (TASK, SOURCE, SCORE)

    # Plain tuples of the fields of `Judgement`, which Beam transfers faster.
    rows: list[tuple[Any, ...]] = dataclasses.field(default_factory=list)

    def add_record(self, answer: Arrays, features: Arrays) -> None:
        """Adds the judgement of one record."""
        texts = [features[name].item().decode() for name in (TASK, SOURCE)]
        numbers = [float(answer[name].item()) for name in Judgement._fields[3:]]
        self.rows.append((*texts, float(features[SCORE].item()), *numbers))

    def of(self, *tasks: str) -> Iterator[Judgement]:
        """Yields the judgements of these tasks."""
        return (Judgement(*row) for row in self.rows if row[0] in tasks)


COUNTS = Judgements


def spearman(counts: Judgements) -> float:
    """Returns the mean over the sets of the rank correlation between human and model scores of known pairs.

    Sets with fewer than two known pairs are left out.
    """
    sets: defaultdict[str, list[Judgement]] = defaultdict(list)
    for pair in counts.of(SIMILARITY):
        if pair.known:
            sets[pair.source].append(pair)
    found = [
        rank_correlation([pair.score for pair in pairs], [pair.similarity for pair in pairs])
        for _, pairs in sorted(sets.items())
        if len(pairs) > 1
    ]
    if found:
        constant = Undefined("has a set whose ratings or similarities are all equal or not finite")
        return constant if any(map(math.isnan, found)) else math.fsum(found) / len(found)
    return _undefined(counts, SIMILARITY, "has no set with two pairs of known words")


def analogy_accuracy(counts: Judgements) -> float:
    """Returns the share of known analogies that the model solves."""
    known = [one.correct for one in counts.of(ANALOGY) if one.known]
    return math.fsum(known) / len(known) if known else _undefined(counts, ANALOGY, "has no analogy of known words")


def coverage(counts: Judgements) -> float:
    """Returns the share of pairs and analogies whose words the model knows."""
    known = [one.known for one in counts.of(SIMILARITY, ANALOGY)]
    return math.fsum(known) / len(known) if known else math.nan


def held_out_loss(counts: Judgements) -> float:
    """Returns the mean loss of the held-out documents' pairs of words, in nats."""
    documents = list(counts.of(DOCUMENTS))
    pairs = math.fsum(one.pairs for one in documents)
    if pairs:
        return math.fsum(one.loss for one in documents) / pairs
    return _undefined(counts, DOCUMENTS, "has no document with two known words in one window")


def _undefined(counts: Judgements, task: str, reason: str) -> float:
    """Returns the value of a metric that has none; records of other tasks alone are no reason to name."""
    return Undefined(reason) if any(counts.of(task)) else math.nan


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Returns Spearman's rank correlation of paired values; equal values share the mean of their ranks.

    It is NaN for fewer than two pairs, if all values of one side are equal, or if a value is not finite.
    """
    if not np.isfinite([*first, *second]).all():
        return math.nan
    x, y = _centered_ranks(first), _centered_ranks(second)
    # Integers, whose sums do not depend on the order.
    spread = int(x @ x) * int(y @ y)
    return int(x @ y) / math.sqrt(spread) if spread else math.nan


def _centered_ranks(values: Sequence[float]) -> NDArray[np.int64]:
    """Returns twice the difference of each rank and the mean rank, int64 [values]; doubled to keep ties integral."""
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    twice_mean_rank = 2 * np.cumsum(counts) - counts + 1
    centered: NDArray[np.int64] = twice_mean_rank[places.reshape(-1)] - (len(values) + 1)
    return centered
