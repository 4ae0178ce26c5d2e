"""Sentences as the linear chain is fitted to them: the attributes and the tags of their tokens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.tagger.linear import attributes
from trainer.tagger.model import real_lengths

MAX_WORK = 100_000_000
"""The chain is fitted to so many tokens that its time stays within about a minute."""

_FEATURES = (f.TOKENS, f.LENGTH, f.WORDS, f.TAGS, f.WEIGHT)


class TaggedBatch(NamedTuple):
    """A batch of sentences.

    Attributes:
        keys: The attributes of their tokens, int64 [batch, time, attributes].
        tags: Their tags, int64 [batch, time].
        length: The number of tokens of each, int64 [batch].
    """

    keys: NDArray[np.int64]
    tags: NDArray[np.int64]
    length: NDArray[np.int64]

    @property
    def steps(self) -> NDArray[np.bool_]:
        """Which steps are real, bool [batch, time]."""
        real: NDArray[np.bool_] = np.arange(self.tags.shape[1]) < self.length[:, np.newaxis]
        return real

    def take(self, marks: NDArray[np.bool_]) -> TaggedBatch:
        """Returns the batch of the marked sentences, bool [batch]."""
        return TaggedBatch(*(part[marks] for part in self))


def most_tokens(work: int, tags: int) -> int:
    """Returns how many tokens are read for so much work, which grows with the pairs of tags."""
    return max(1, work // (1_000 + tags * tags))


def every_nth(batches: Iterable[f.Features], tokens: int, tags: int) -> Iterator[f.Features]:
    """Yields every n-th sentence of batches of `trainer.data.reading.read`, so that about `MAX_WORK` remains.

    Args:
        batches: The batches of a split.
        tokens: Number of tokens of the split.
        tags: Number of tags.
    """
    step, seen = max(1, math.ceil(tokens / most_tokens(MAX_WORK, tags))), 0
    for batch in batches:
        number = int(batch[f.LENGTH].shape[0])
        rows = np.arange(-seen % step, number, step)
        seen += number
        if len(rows):
            yield {name: tf.gather(value, rows) for name, value in batch.items() if name in _FEATURES}


def tagged(batch: f.Features, *, right: bool) -> TaggedBatch:
    """Returns a batch of `trainer.data.reading.read` with its attributes; `right` as in `attributes.keys`."""
    length = real_lengths(batch[f.TOKENS], batch[f.LENGTH])
    found = _keys(batch[f.WORDS], length, right)
    return TaggedBatch(*(part.numpy() for part in (found, batch[f.TAGS], length)))


@tf.function(reduce_retracing=True, autograph=False)
def _keys(words: tf.Tensor, length: tf.Tensor, right: bool) -> tf.Tensor:
    return attributes.keys(words, tf.sequence_mask(length, tf.shape(words)[1]), right=right)
