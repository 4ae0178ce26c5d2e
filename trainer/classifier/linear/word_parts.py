"""Parts of words: character n-grams that related words share, so that a rare word is not read alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier.linear.ngrams import LENGTH_BITS
from trainer.data.features import RESERVED_WORDS

CODE = (1 << LENGTH_BITS) - 1
"""The lowest bits of a part's key, where an n-gram of words has its length."""

_LENGTHS = (3, 4, 5)
_MOST_TOKENS = 1_000_000
"""Up to this many tokens in the train split, parts are read by default: more text teaches the words themselves."""
_LONGEST_WORD = 64
"""Longer words, such as addresses, have no parts."""


class WordParts(NamedTuple):
    """The parts of each word of a vocabulary.

    Attributes:
        keys: The parts of the words in turn, each once in a word, int64 [parts].
        splits: Where those of each word begin, and the end, int64 [words + 1].
    """

    keys: NDArray[np.int64]
    splits: NDArray[np.int64]

    @property
    def ragged(self) -> tf.RaggedTensor:
        """The keys by word, int64 [words, parts]."""
        return tf.RaggedTensor.from_row_splits(self.keys, self.splits, validate=False)

    def rows(self, keys: NDArray[np.int64]) -> WordParts:
        """Returns the places of the parts in ascending keys instead of the parts, without those that are not there."""
        place = np.searchsorted(keys, self.keys)
        known = np.append(keys, np.iinfo(np.int64).max)[place] == self.keys
        return WordParts(place[known], np.concatenate([[0], np.cumsum(known)])[self.splits])


NONE = WordParts(np.zeros(0, np.int64), np.zeros(1, np.int64))
"""The parts of no words."""


def wanted(setting: Literal["auto"] | bool, tokens: int) -> bool:
    """Returns whether to read parts of words, by the setting and the number of tokens in the train split."""
    return tokens <= _MOST_TOKENS if setting == "auto" else setting


def of_words(words: Sequence[str], ids: int) -> WordParts:
    """Returns the parts of a vocabulary's words that two or more of them have; reserved words have none.

    A word is put between `<` and `>`, as in Bojanowski et al. (2017), Enriching Word Vectors with Subword Information,
    section 3.2.

    Args:
        words: The words in the order of their ids.
        ids: Number of ids; those after the words, of hashed words, have no parts.
    """
    numbers: dict[str, int] = {}
    found = [
        [numbers.setdefault(part, len(numbers)) for part in parts(word)] if word not in RESERVED_WORDS else []
        for word in words
    ]
    flat = np.fromiter(itertools.chain.from_iterable(found), np.int64)
    shared = np.bincount(flat, minlength=1)[flat] > 1
    ends = np.concatenate([[0], np.cumsum([len(one) for one in found])]).astype(np.int64)
    ends = np.pad(ends, (0, ids - len(words)), mode="edge")
    return WordParts((flat[shared] << LENGTH_BITS) | CODE, np.concatenate([[0], np.cumsum(shared)])[ends])


def parts(word: str) -> Iterable[str]:
    """Returns the distinct parts of a word, by length."""
    if len(word) > _LONGEST_WORD:
        return ()
    marked = f"<{word}>"
    return dict.fromkeys(
        marked[start : start + length] for length in _LENGTHS for start in range(len(marked) - length + 1)
    )
