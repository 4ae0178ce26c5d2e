"""Fits the linear classifier of n-grams.

The value of an n-gram follows Wang and Manning (2012), Baselines and Bigrams: Simple, Good Sentiment and Topic
Classification, section 2, which weights the distinct n-grams of a document by how much more often documents of a class
have them than others do; here by the square root of it and by the inverse document frequency, less for each further
word, and each document is scaled to unit length.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.special
from numpy.typing import NDArray

from trainer.classifier.linear import word_parts
from trainer.classifier.linear.ngram_documents import NgramDocuments
from trainer.classifier.linear.ngrams import LENGTH_BITS, LinearWeights
from trainer.classifier.linear.regressions import Matrix, Regressions

MAX_WEIGHTS = 4_000_000
"""The largest number of n-grams times columns of weights: many classes share it."""

PENALTIES = tuple(2.0**power for power in range(2, 9))
"""Inverse strengths of the L2 penalty, weakest last."""

PATIENCE = 2
"""The choice ends after so many penalties in turn that are no better than the best."""

FOLDS = 3
MOST_FOLDED = 3_000
"""Up to this many train documents, cross-validation joins the eval split, which is small then, in the choice."""

_FURTHER_WORD = 0.5**0.5
"""The factor of an n-gram's value for each word after the first: longer ones are many, and each is seen rarely."""
_SMOOTHING = 1.0
_PART = 0.25
"""The factor of the value of a part of a word: a document has many of them."""

Losses = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""From logits and targets, [documents, classes] each, to the loss of each document in nats, [documents]."""


class Fitted(NamedTuple):
    """A fitted classifier.

    Attributes:
        weights: Its weights.
        penalty: The chosen inverse strength of the penalty.
        eval_loss: Its mean loss on the eval split, in nats.
    """

    weights: LinearWeights
    penalty: float
    eval_loss: float


def softmax_losses(logits: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the cross-entropy of documents with one class each, float [documents]."""
    losses: NDArray[np.float64] = -(scipy.special.log_softmax(logits, axis=1) * targets).sum(1)
    return losses


def sigmoid_losses(logits: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the mean binary cross-entropy of documents with any number of classes, float [documents]."""
    losses: NDArray[np.float64] = (np.logaddexp(0, logits) - logits * targets).mean(1)
    return losses


def mean_loss(losses: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Returns the weighted mean of losses; the plain one if all weights are 0."""
    return float(np.average(losses, weights=weights) if weights.any() else losses.mean())


def width(columns: int, max_size: int) -> int:
    """Returns how many n-grams the classifier has at most, for the columns of its weights and the setting."""
    return min(max_size, max(1, MAX_WEIGHTS // columns))


def fit(
    train: NgramDocuments,
    evaluated: NgramDocuments,
    *,
    exclusive: bool,
    min_documents: int,
    max_size: int,
) -> Fitted | None:
    """Fits the classifier, with the penalty that has the lowest loss on held-out documents.

    These are the eval split, and for small train splits also each third of it, of which the rest does not know.
    Documents of similar lengths lie next to each other, so that every third one makes folds alike.

    Args:
        train: Documents of the train split; targets are [documents, classes] of 0 and 1, here as below.
        evaluated: Documents of the eval split.
        exclusive: Whether each document has exactly one class: one softmax, otherwise a sigmoid for each class.
        min_documents: Drop n-grams in fewer documents than this.
        max_size: Maximum number of n-grams: those in the most documents.

    Returns:
        The classifier; None if no n-gram is in enough documents.
    """
    losses = softmax_losses if exclusive else sigmoid_losses
    pairs = [(train, evaluated), *(_folds(train) if len(train.sizes) <= MOST_FOLDED else ())]
    frequent = functools.partial(_NgramValues, min_documents=min_documents, max_size=max_size)
    sides = [_Side(frequent(known), known, held, exclusive=exclusive) for known, held in pairs]
    whole = sides[0]
    if not len(whole.values.keys):
        return None
    weights = np.concatenate([side.held.weights for side in sides])
    best, worse = None, 0
    for penalty in PENALTIES:
        found = [losses(side.held_logits(penalty), side.held.targets) for side in sides]
        loss = mean_loss(np.concatenate(found), weights)
        if best is None or loss < best[0]:
            best, worse = (loss, Fitted(whole.fitted, penalty, mean_loss(found[0], evaluated.weights))), 0
        elif (worse := worse + 1) == PATIENCE:
            break
    return None if best is None else best[1]


class _NgramValues:
    """The n-grams of some documents and the value of each."""

    def __init__(self, documents: NgramDocuments, *, min_documents: int, max_size: int) -> None:
        classes = documents.targets.shape[1]
        most = width(1 if classes == 2 else classes, max_size)
        self.keys, frequency = _frequent(documents.keys, min_documents, most)
        ratios = _largest_ratio(_matrix(documents, self.keys), documents.targets)
        rarity = 1 + np.log((1 + len(documents.sizes)) / (1 + frequency))
        further = self.keys & ((1 << LENGTH_BITS) - 1)
        self.scales = rarity * np.sqrt(ratios) * np.where(further == word_parts.CODE, _PART, _FURTHER_WORD**further)

    def rows(self, documents: NgramDocuments) -> Matrix:
        """Returns the values of documents, each scaled to unit length."""
        return _unit_rows(_matrix(documents, self.keys), self.scales)


class _Side:
    """A regression of known documents and the held-out ones that judge it; the matrices of both are computed once."""

    def __init__(self, values: _NgramValues, known: NgramDocuments, held: NgramDocuments, *, exclusive: bool) -> None:
        self.values, self.held = values, held
        self._held_rows = values.rows(held)
        self._regressions = Regressions(values.rows(known), known.targets, known.weights, exclusive=exclusive)

    def held_logits(self, penalty: float) -> NDArray[np.float64]:
        """Fits with a penalty, and returns the logits of the held-out documents, [documents, classes]."""
        self._weights, self._bias = self._regressions.fit(penalty)
        logits: NDArray[np.float64] = self._held_rows @ self._weights + self._bias
        return logits

    @property
    def fitted(self) -> LinearWeights:
        """The classifier as last fitted."""
        parts = (part.astype(np.float32) for part in (self.values.scales, self._weights, self._bias))
        return LinearWeights(self.values.keys, *parts)


def _folds(documents: NgramDocuments) -> Iterator[tuple[NgramDocuments, NgramDocuments]]:
    """Yields the documents without every n-th one, and these."""
    numbers = np.arange(len(documents.sizes))
    of_keys = np.repeat(numbers, documents.sizes)
    for fold in range(min(FOLDS, len(numbers))):
        held, held_keys = (found % FOLDS == fold for found in (numbers, of_keys))
        for_each = [(mask, keys) for mask, keys in ((~held, ~held_keys), (held, held_keys))]
        rest, part = (
            NgramDocuments(documents.keys[keys], *(column[mask] for column in documents[1:])) for mask, keys in for_each
        )
        yield rest, part


def _frequent(keys: NDArray[np.int64], least: int, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the hashes in at least `least` documents, ascending, and in how many; of more, the `most` frequent."""
    found, frequency = np.unique(keys, return_counts=True)
    kept = np.flatnonzero(frequency >= least)
    # Ties are broken by hash, so that the result is deterministic.
    kept = np.sort(kept[np.argsort(-frequency[kept], kind="stable")[:most]])
    return found[kept], frequency[kept]


def _matrix(documents: NgramDocuments, keys: NDArray[np.int64]) -> Matrix:
    """Returns which n-grams the documents have, float64 [documents, n]."""
    place = np.searchsorted(keys, documents.keys)
    known = np.append(keys, np.iinfo(np.int64).max)[place] == documents.keys
    # How many of the first n-grams are known, at the start of each document and after the last.
    ends = np.concatenate([[0], np.cumsum(known)])[np.concatenate([[0], np.cumsum(documents.sizes)])]
    return scipy.sparse.csr_matrix(
        (np.ones(ends[-1]), place[known].astype(np.int32), ends), (len(documents.sizes), len(keys))
    )


def _largest_ratio(occurrences: Matrix, targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the largest absolute log-count ratio of each n-gram over the classes, float [n]."""
    own = occurrences.T @ targets + _SMOOTHING
    others = occurrences.T @ (1 - targets) + _SMOOTHING
    return np.asarray(np.abs(np.log(own / own.sum(0)) - np.log(others / others.sum(0))).max(1))


def _unit_rows(occurrences: Matrix, scales: NDArray[np.float64]) -> Matrix:
    """Returns the documents with n-grams of these values, scaled to unit length."""
    rows = occurrences.multiply(scales).tocsr()
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(1)).ravel())
    inverse: Sequence[float] = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return scipy.sparse.diags(inverse) @ rows
