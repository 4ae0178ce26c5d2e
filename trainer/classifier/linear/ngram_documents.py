"""The distinct n-grams and targets of a split's documents, as the linear classifier reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.classifier.linear.ngrams import distinct_hashes
from trainer.classifier.linear.word_parts import WordParts
from trainer.data import features as f
from trainer.training.pace import SplitSize

MAX_DOCUMENTS = 50_000
"""The linear classifier is fitted to at most this many documents, because more hardly change it."""

MAX_NGRAMS = 60_000_000
"""The largest number of n-grams of all documents together, half a gigabyte of hashes."""


class NgramDocuments(NamedTuple):
    """Documents as their distinct n-grams.

    Attributes:
        keys: The hashes of the documents in turn, int64 [n-grams].
        sizes: The number of hashes of each, int64 [documents].
        targets: The targets of each, [documents, ...].
        weights: The weight of each, float64 [documents].
    """

    keys: NDArray[np.int64]
    sizes: NDArray[np.int64]
    targets: NDArray[np.float64]
    weights: NDArray[np.float64]


PARTS_PER_TOKEN = 6
"""About this many distinct parts of words belong to each token of a document."""


def every(size: SplitSize, per_token: int) -> int:
    """Returns n, so that every n-th document with this many n-grams per token keeps within the maxima."""
    return max(1, math.ceil(size.documents / MAX_DOCUMENTS), math.ceil(size.tokens * per_token / MAX_NGRAMS))


def weights(batch: f.Features) -> NDArray[np.float64]:
    """Returns the weights of a batch's documents, [batch]; 1 for documents without."""
    return np.asarray(batch[f.WEIGHT] if f.WEIGHT in batch else np.ones(batch[f.LENGTH].shape[0]), np.float64)


def collect(
    batches: Iterable[f.Features],
    targets: Callable[[f.Features], NDArray[np.float64]],
    *,
    longest: int,
    parts: WordParts | None = None,
    step: int = 1,
) -> NgramDocuments:
    """Collects every n-th document of batches of `trainer.data.reading.read`.

    Args:
        batches: The batches.
        targets: Returns the targets of a batch, [batch, ...].
        longest: Length of the longest n-gram, in words.
        parts: The parts of each word by its id, which count as n-grams; None: none.
        step: Takes one in this many documents.
    """
    found, seen, of_words = [], 0, parts and parts.ragged
    for batch in batches:
        number = int(batch[f.LENGTH].shape[0])
        rows = np.arange(-seen % step, number, step)
        seen += number
        if len(rows):
            tokens, length = np.asarray(batch[f.TOKENS])[rows], np.asarray(batch[f.LENGTH])[rows]
            keys, sizes = (part.numpy() for part in distinct_hashes(tokens, length, longest, of_words))
            found.append(NgramDocuments(keys, sizes, targets(batch)[rows], weights(batch)[rows]))
    return NgramDocuments(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
