"""Attributes of tokens: the spelling of a token and of those around it, as keys of 63 bits."""

from __future__ import annotations

import tensorflow as tf

AFFIXES = (1, 2, 3)
"""The lengths of the beginnings and the ends of a token, in characters."""

KINDS = (
    (r"\p{Han}+", "\ue000"),
    ("[\\p{Katakana}\u30fc]+", "\ue001"),
    (r"\p{Hiragana}+", "\ue002"),
    (r"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}\p{M}]+", "a"),
    (r"\p{Lu}+", "A"),
    (r"\p{Nd}+", "0"),
)
"""Runs of characters of one kind, in this order, and what stands for them in the shape of a token."""

_WORD, _LOWER, _SHAPE = range(3)
_NEIGHBORS = ((_LOWER, -2), (_LOWER, -1), (_SHAPE, -1), (_LOWER, 1), (_SHAPE, 1), (_LOWER, 2))
"""What is seen of the tokens around a token: a column of `spellings`, and the distance."""

_HASHES = 1 << 58
_SLOTS = 32
_OUTSIDE = 0
"""The hash of what lies outside the sentence."""


def spellings(words: tf.Tensor) -> tf.Tensor:
    """Hashes how words are written.

    Args:
        words: UTF-8, string [words].

    Returns:
        Hashes of the word, the word in lower case, its shape (such as `Aa` of `Lea`), its first and its last
        characters, int64 [words, 9].
    """
    # TensorFlow's change of case ends at a NUL.
    lower = tf.strings.lower(tf.strings.regex_replace(words, r"\x00", " "), encoding="utf-8")
    shape = words
    for pattern, sign in KINDS:
        shape = tf.strings.regex_replace(shape, pattern, sign)
    characters = tf.strings.length(words, "UTF8_CHAR")
    first = [tf.strings.substr(words, 0, size, "UTF8_CHAR") for size in AFFIXES]
    starts = [(tf.maximum(characters - size, 0), tf.fill(tf.shape(words), size)) for size in AFFIXES]
    last = [tf.strings.substr(words, start, size, "UTF8_CHAR") for start, size in starts]
    parts = [words, lower, shape, *first, *last]
    return tf.stack([tf.strings.to_hash_bucket_fast(part, _HASHES) for part in parts], axis=-1)


def keys(words: tf.Tensor, steps: tf.Tensor, *, right: bool = True) -> tf.Tensor:
    """Returns the attributes of each token of sentences.

    Args:
        words: UTF-8, string [batch, time].
        steps: Which of them are real, bool [batch, time], padding on the right.
        right: Whether a token sees those on its right.

    Returns:
        One key of each kind of attribute, int64 [batch, time, attributes]: equal for equal text of the same kind, and
        different, but for collisions of 58 bits, for any other.
    """
    distinct, places = tf.unique(tf.reshape(words, [-1]))
    hashes = tf.reshape(tf.gather(spellings(distinct), places), [*tf.unstack(tf.shape(words)), 3 + 2 * len(AFFIXES)])
    columns = tf.unstack(tf.where(steps[..., tf.newaxis], hashes, _OUTSIDE), axis=-1)
    around = [_shifted(columns[part], by) for part, by in _NEIGHBORS if right or by < 0]
    same = tf.zeros_like(columns[0])
    found = tf.stack([*columns, *around, same], axis=-1)
    return found * _SLOTS + tf.range(found.shape[-1], dtype=tf.int64)


def _shifted(column: tf.Tensor, by: int) -> tf.Tensor:
    """Returns what each step finds so many steps away, int64 [batch, time]."""
    padded = tf.pad(column, [[0, 0], [max(-by, 0), max(by, 0)]], constant_values=_OUTSIDE)
    return padded[:, max(by, 0) : tf.shape(padded)[1] + min(by, 0)]
