"""Phrases: adjacent words that become one token, `new york` as `new_york`, joined in the graph.

Mikolov et al. 2013, "Distributed Representations of Words and Phrases", section 4: pairs of words that are adjacent
more often than by chance. Each pass joins pairs of words or of earlier phrases, from the left and without overlap,
like gensim's `Phrases`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.settings import PhraseSettings, TransformSettings

_NO_PHRASE = -1
# A bit table rules out most pairs, in a third of the time of joining and looking up all of them.
_BITS_PER_PHRASE = 16
_MIN_BITS = 1 << 16
_FACTOR = 31


class Phrase(NamedTuple):
    """A pair of words to join, its occurrences in the train split, and its score."""

    first: str
    second: str
    occurrences: int
    score: float


def write(path: str, passes: Sequence[Sequence[Phrase]]) -> None:
    """Writes the phrases of each pass, one per line: the pass from 1 and both words; after tabs the count and score."""
    lines = [
        f"{number} {phrase.first} {phrase.second}\t{phrase.occurrences}\t{phrase.score:.6g}\n"
        for number, phrases in enumerate(passes, start=1)
        for phrase in phrases
    ]
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write("".join(lines).encode())


class Phrases(tf.Module):
    """Joins the phrases of a file.

    Args:
        path: A file from `write`, with at least one phrase.
        settings: The section `transform.phrases` of the configuration.
    """

    def __init__(self, path: str, settings: PhraseSettings) -> None:
        super().__init__(name="phrases")
        self._delimiter = settings.delimiter
        initializer = tf.lookup.TextFileInitializer(path, tf.string, 0, tf.int64, 1, delimiter="\t")
        # Anonymous, since tables of two passes would share a name: that of their file, which grew in between.
        self._table = tf.lookup.StaticHashTable(initializer, _NO_PHRASE, experimental_is_anonymous=True)
        with tf.io.gfile.GFile(path, "rb") as file:
            keys = [line.partition(b"\t")[0].split(b" ") for line in file.read().splitlines()]
        passes = range(1, 1 + max(int(number) for number, _, _ in keys))
        self._bits = tuple(_bits([(a, b) for number, a, b in keys if int(number) == k]) for k in passes)

    def __call__(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Joins phrases within segments, pass by pass: ragged string [segments, time] to the same."""
        for number, bits in enumerate(self._bits, start=1):
            tokens = self._join(tokens, number, bits)
        return tokens

    def _join(self, tokens: tf.RaggedTensor, number: int, bits: tf.Tensor) -> tf.RaggedTensor:
        words, splits = tokens.values, tokens.row_splits
        firsts = _every_second(self._matches(words, splits, number, bits))
        joined = tf.strings.join([tf.gather(words, firsts), tf.gather(words, firsts + 1)], self._delimiter)
        kept = tf.tensor_scatter_nd_update(
            tf.ones(tf.shape(words), tf.bool), firsts[:, tf.newaxis] + 1, tf.zeros_like(firsts, tf.bool)
        )
        places = firsts - tf.range(tf.size(firsts, tf.int64))  # Each earlier phrase removes a word.
        words = tf.tensor_scatter_nd_update(tf.boolean_mask(words, kept), places[:, tf.newaxis], joined)
        splits -= tf.searchsorted(firsts + 1, splits, out_type=tf.int64)
        return tf.RaggedTensor.from_row_splits(words, splits, validate=False)

    def _matches(self, words: tf.Tensor, splits: tf.Tensor, number: int, bits: tf.Tensor) -> tf.Tensor:
        """Indices of words that form a phrase with the next word of their segment, int64, increasing, may overlap."""
        buckets = tf.strings.to_hash_bucket_fast(words, bits.shape[0])
        places = tf.where(tf.gather(bits, _bit_of(buckets[:-1], buckets[1:], bits.shape[0])))[:, 0]
        first_segment, segment = (tf.searchsorted(splits, place, side="right") for place in (places, places + 1))
        keys = tf.strings.join([str(number), tf.gather(words, places), tf.gather(words, places + 1)], " ")
        return tf.boolean_mask(places, (first_segment == segment) & (self._table.lookup(keys) != _NO_PHRASE))


def load(path: str, settings: TransformSettings) -> Phrases:
    """Loads phrases from a file with at least one phrase."""
    return Phrases(path, settings.phrases or PhraseSettings())


def _bits(pairs: list[tuple[bytes, bytes]]) -> tf.Tensor:
    """Returns a table that is true at least for the pairs, bool, whose size is a power of two."""
    size = max(_MIN_BITS, 1 << (_BITS_PER_PHRASE * len(pairs)).bit_length())
    firsts, seconds = (tf.strings.to_hash_bucket_fast(words, size) for words in zip(*pairs, strict=True))
    bits = np.zeros(size, np.bool_)
    bits[_bit_of(firsts, seconds, size).numpy()] = True
    return tf.constant(bits)


def _bit_of(firsts: tf.Tensor, seconds: tf.Tensor, size: int) -> tf.Tensor:
    """Indices of pairs in a bit table from the hash buckets of their words, int64 [pairs] each."""
    return tf.bitwise.bitwise_and(_FACTOR * firsts + seconds, size - 1)


def _every_second(places: tf.Tensor) -> tf.Tensor:
    """Keeps the first, third, ... of each run of consecutive indices, int64 [places], increasing."""
    starts = tf.concat([tf.ones_like(places[:1], tf.bool), places[1:] != places[:-1] + 1], 0)
    run = tf.cumsum(tf.cast(starts, tf.int64)) - 1
    return tf.boolean_mask(places, (places - tf.gather(tf.boolean_mask(places, starts), run)) % 2 == 0)


def count_pairs(tokens: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Counts words and pairs of adjacent words in segments.

    Args:
        tokens: Ragged string [segments, time].

    Returns:
        Distinct words, string [words], and their counts, int64 [words]; distinct pairs, int64 [pairs], with the
        index of the first word in the upper 32 bits and that of the second in the lower, and their counts, int64
        [pairs].
    """
    words, places, counts = tf.unique_with_counts(tokens.values, out_idx=tf.int64)
    segments = tokens.value_rowids()
    pairs = tf.boolean_mask(tf.bitwise.left_shift(places[:-1], 32) + places[1:], segments[:-1] == segments[1:])
    distinct, _, pair_counts = tf.unique_with_counts(pairs, out_idx=tf.int64)
    return words, counts, distinct, pair_counts
