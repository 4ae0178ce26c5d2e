"""Counts pairs of adjacent words, and chooses phrases from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.sequence_transform.shard_work import map_batches
from trainer.data import features as f
from trainer.data import kinds
from trainer.settings import PhraseSettings, TransformSettings
from trainer.text.phrases import Phrase, count_pairs, load
from trainer.text.preprocessing import MARK, tokenize_segments

_LOWER_BITS = 32
_LOWER = (1 << _LOWER_BITS) - 1
_MIN_PENDING = 1 << 18

IntArray = NDArray[np.int64]


class PairCounts:
    """Exact counts of words and of pairs of adjacent words, in 16 bytes per distinct pair.

    New pairs are merged into the sorted arrays once they reach a quarter of their size; merging copies the arrays and
    takes up to three times the memory. No pair is pruned: one that is rare in every shard may be frequent overall.

    Attributes:
        ids: A number for each word, in the order of first appearance.
    """

    def __init__(self) -> None:
        self.ids: dict[bytes, int] = {}
        self._words: IntArray = np.zeros(0, np.int64)
        self._pairs: IntArray = np.zeros(0, np.int64)
        self._counts: IntArray = np.zeros(0, np.int64)
        self._pending: list[tuple[IntArray, IntArray]] = []

    def add(self, other: PairCounts) -> None:
        """Adds the counts of other documents."""
        self.add_batch(list(other.ids), *other.arrays())

    def add_batch(self, words: list[bytes], word_counts: IntArray, pairs: IntArray, counts: IntArray) -> None:
        """Adds the result of `count_pairs`.

        Args:
            words: Distinct words.
            word_counts: Their counts, int64 [words].
            pairs: Distinct pairs of indices into `words`, the first in the upper 32 bits, int64 [pairs].
            counts: Their counts, int64 [pairs].
        """
        ids = np.fromiter((self.ids.setdefault(word, len(self.ids)) for word in words), np.int64, len(words))
        missing = len(self.ids) - len(self._words)
        if missing > 0:
            self._words = np.concatenate([self._words, np.zeros(max(missing, len(self._words)), np.int64)])
        self._words[ids] += word_counts
        self._pending.append((ids[pairs >> _LOWER_BITS] << _LOWER_BITS | ids[pairs & _LOWER], counts))
        if sum(len(added) for added, _ in self._pending) > max(_MIN_PENDING, len(self._pairs) // 4):
            self._merge_pending()

    def arrays(self) -> tuple[IntArray, IntArray, IntArray]:
        """Returns the counts of the words of `ids`, the distinct pairs of ids in ascending order, and their counts."""
        self._merge_pending()
        return self._words[: len(self.ids)], self._pairs, self._counts

    def _merge_pending(self) -> None:
        if not self._pending:
            return
        pairs, counts = _sum(*(np.concatenate(parts) for parts in zip(*self._pending, strict=True)))
        self._pending = []
        positions = np.searchsorted(self._pairs, pairs)
        new = np.ones(len(pairs), np.bool_)
        inside = positions < len(self._pairs)
        new[inside] = self._pairs[positions[inside]] != pairs[inside]
        self._pairs = np.insert(self._pairs, positions[new], pairs[new])
        self._counts = np.insert(self._counts, positions[new], 0)
        self._counts[np.searchsorted(self._pairs, pairs)] += counts


def _sum(pairs: IntArray, counts: IntArray) -> tuple[IntArray, IntArray]:
    """Returns the distinct pairs in ascending order and the sums of their counts."""
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    starts = np.flatnonzero(np.concatenate([[True] * bool(len(pairs)), pairs[1:] != pairs[:-1]]))
    return pairs[starts], np.add.reduceat(counts[order], starts)


def count_shard_pairs(path: str, settings: TransformSettings, phrases: str | None) -> PairCounts:
    """Counts words and pairs of adjacent words in the untruncated texts of a shard of raw SequenceExamples.

    `phrases` is the file of the phrases found in previous passes, if any.
    """
    joined = load(phrases, settings) if phrases else None

    @tf.autograph.experimental.do_not_convert
    def count(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        tokens = tokenize_segments(f.parse_raw(serialized, kinds.PLAIN_TEXT)[f.TEXT].flat_values, settings)
        return count_pairs(joined(tokens) if joined else tokens)

    total = PairCounts()
    for words, *counts in map_batches(path, count):
        total.add_batch(words.numpy().tolist(), *(part.numpy() for part in counts))
    return total


def choose(counts: PairCounts, settings: TransformSettings) -> list[Phrase]:
    """Returns the phrases of the train split by descending count, ties by their words' bytes.

    Phrases are pairs whose score is above the threshold. The score is that of gensim's `original_scorer` (Mikolov et
    al. 2013): (count of the pair - min_count) / (count of the first word * count of the second) * distinct words and
    pairs. Pairs with a reserved word or an overlong token are excluded. Unlike in gensim, a word of the text that
    contains the delimiter is not confused with a pair that is spelled the same.
    """
    limits = settings.phrases or PhraseSettings()
    reserved = {word.encode() for word in (*f.RESERVED_WORDS, *settings.reserved)}
    names = list(counts.ids)
    is_word = np.array([name not in reserved and not name.startswith(MARK) for name in names], np.bool_)
    word_counts, pairs, pair_counts = counts.arrays()
    are_words = is_word[pairs >> _LOWER_BITS] & is_word[pairs & _LOWER]
    types = np.count_nonzero(is_word) + np.count_nonzero(are_words)
    frequent = np.flatnonzero(are_words & (pair_counts > limits.min_count))
    firsts, seconds, found = pairs[frequent] >> _LOWER_BITS, pairs[frequent] & _LOWER, pair_counts[frequent]
    scores = (found - limits.min_count) / (word_counts[firsts] * word_counts[seconds]) * types
    columns: tuple[list[Any], ...] = tuple(column.tolist() for column in (firsts, seconds, found, scores))
    phrases = [
        Phrase(names[first].decode(), names[second].decode(), count, score)
        for first, second, count, score in zip(*columns, strict=True)
        if score > limits.threshold
    ]
    return sorted(phrases, key=lambda phrase: (-phrase.occurrences, phrase.first, phrase.second))
