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
from trainer.training.pace import SplitSize

MAX_TOKENS = 40_000
"""The chain is fitted to at most about this many tokens, because its time grows with them."""

_FEATURES = (f.TOKENS, f.LENGTH, f.WORDS, f.TAGS)


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


def every(size: SplitSize) -> int:
    """Returns n, so that every n-th sentence keeps within the maximum."""
    return max(1, math.ceil(size.tokens / MAX_TOKENS))


def collect(batches: Iterable[f.Features], *, right: bool, step: int = 1) -> Iterator[TaggedBatch]:
    """Collects every n-th sentence of batches of `trainer.data.reading.read`.

    Args:
        batches: The batches.
        right: Whether a token sees those on its right.
        step: Takes one in this many sentences.
    """
    seen = 0
    for batch in batches:
        number = int(batch[f.LENGTH].shape[0])
        rows = np.arange(-seen % step, number, step)
        seen += number
        if len(rows):
            yield tagged({name: tf.gather(batch[name], rows) for name in _FEATURES}, right=right)


def tagged(batch: f.Features, *, right: bool) -> TaggedBatch:
    """Returns a batch of `trainer.data.reading.read` with its attributes."""
    length = real_lengths(batch[f.TOKENS], batch[f.LENGTH])
    found = _keys(batch[f.WORDS], length, right)
    return TaggedBatch(*(part.numpy() for part in (found, batch[f.TAGS], length)))


@tf.function(reduce_retracing=True, autograph=False)
def _keys(words: tf.Tensor, length: tf.Tensor, right: bool) -> tf.Tensor:
    return attributes.keys(words, tf.sequence_mask(length, tf.shape(words)[1]), right=right)
