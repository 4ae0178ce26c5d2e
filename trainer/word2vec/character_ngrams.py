"""Character n-grams of words and their hash buckets, as in fastText."""

from __future__ import annotations

import tensorflow as tf

from trainer.word2vec.settings import CharacterNgramSettings

# 32-bit FNV-1a with signed bytes, as in fastText: a byte above 127 also sets the upper bits.
_BASIS, _PRIME, _BITS = 2_166_136_261, 16_777_619, 0xFFFF_FFFF
_SIGNED = [byte if byte < 128 else byte | 0xFFFF_FF00 for byte in range(256)]

_CHARACTER_BYTES = 4


def ngram_ids(word: str, settings: CharacterNgramSettings) -> list[int]:
    """Returns the buckets of a word's n-grams, like fastText's `Dictionary::computeSubwords`.

    The word is put between `<` and `>` (Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information",
    section 3.2). All n-grams count, including the whole word if it is short enough, except `<` and `>` alone.

    Returns:
        Buckets by first character, then by length, one for each n-gram.
    """
    characters = [[_SIGNED[byte] for byte in character.encode()] for character in f"<{word}>"]
    last = len(characters) - 1
    ids = []
    for start in range(last + 1):
        value = _BASIS
        for length, character in enumerate(characters[start : start + settings.max], 1):
            for byte in character:
                value = (value ^ byte) * _PRIME & _BITS
            if length >= settings.min and (length > 1 or 0 < start < last):
                ids.append(value % settings.buckets)
    return ids


def lookup(words: tf.Tensor, settings: CharacterNgramSettings) -> tf.RaggedTensor:
    """Computes `ngram_ids` of many words in TensorFlow.

    Args:
        words: UTF-8, string [words]; invalid bytes count as U+FFFD.
        settings: Lengths and number of buckets.

    Returns:
        Buckets, ragged int64 [words, n-grams].
    """
    characters = tf.strings.unicode_split(tf.strings.join(["<", words, ">"]), "UTF-8")
    of_word = characters.value_rowids()
    starts, ends = (tf.gather(limits, of_word) for limits in (characters.row_starts(), characters.row_limits()))
    total = tf.size(of_word, tf.int64)
    place = tf.range(total)
    edge = (place == starts) | (place == ends - 1)
    signed = _signed_bytes(characters.values)
    # One n-gram from each character, all growing by a character at a time.
    values = tf.fill([total], tf.constant(_BASIS, tf.int64))
    hashes, counted = [], []
    for length in range(1, settings.max + 1):
        values = _extend_hashes(values, tf.gather(signed, tf.minimum(place + length, total) - 1))
        if length >= settings.min:
            hashes.append(values % settings.buckets)
            counted.append((place + length <= ends) & ((length > 1) | ~edge))
    counts = tf.math.segment_sum(tf.reduce_sum(tf.cast(tf.stack(counted, 1), tf.int64), 1), of_word)
    return tf.RaggedTensor.from_row_lengths(tf.boolean_mask(tf.stack(hashes, 1), tf.stack(counted, 1)), counts)


def _signed_bytes(characters: tf.Tensor) -> tf.Tensor:
    """Returns the sign-extended bytes of characters, int64 [characters, 4]; -1 after the end of a character."""
    signed = tf.gather(
        tf.constant(_SIGNED, tf.int64),
        tf.cast(tf.io.decode_raw(characters, tf.uint8, fixed_length=_CHARACTER_BYTES), tf.int32),
    )
    real = tf.sequence_mask(tf.strings.length(characters), _CHARACTER_BYTES)
    return tf.where(real, signed, -1)


def _extend_hashes(values: tf.Tensor, signed: tf.Tensor) -> tf.Tensor:
    """Extends hashes, int64 [n], by the bytes of another character, int64 [n, 4]."""
    for byte in tf.unstack(signed, _CHARACTER_BYTES, axis=1):
        values = tf.where(byte < 0, values, (tf.bitwise.bitwise_xor(values, byte) * _PRIME) & _BITS)
    return values
