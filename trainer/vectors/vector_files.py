r"""Word vectors in the formats of other tools: word2vec text and binary, GloVe, TensorBoard's projector.

The formats separate words by white space, so each white-space or control character in a word is written as `\u` and
its code in four hexadecimal digits: `New York` as `New\u0020York`. To make this reversible, the backslash of such a
sequence in a word is written as `\u005c`. All other words are written unchanged.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute
import tensorflow as tf
from numpy.typing import NDArray

_BLOCK_ROWS = 4096
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_SPACES = "".join(chr(code) for code in range(0x10000) if chr(code).isspace() or code in _CONTROLS)
_CODES = "|".join(f"{ord(character):04x}" for character in f"\\{_SPACES}")
_ESCAPED = re.compile(rf"\\u({_CODES})")
_TO_ESCAPE = re.compile(rf"[{re.escape(_SPACES)}]|\\(?=u(?:{_CODES}))")


@dataclasses.dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: Unique words.
        vectors: float32 [words, dimensions].
    """

    words: list[str]
    vectors: NDArray[np.float32]


def escape(word: str) -> str:
    """Replaces the white space and control characters of a word, reversibly by `unescape`."""
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", word)


def unescape(text: str) -> str:
    """Reverses `escape`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\\" in text else text


def write_text(path: str, word_vectors: WordVectors) -> None:
    """Writes word2vec's text format: the sizes, then a line per word, with the shortest decimals that round-trip."""
    words, vectors = word_vectors.words, word_vectors.vectors
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for start in range(0, len(words), _BLOCK_ROWS):
            stop = start + _BLOCK_ROWS
            rows = zip(words[start:stop], _decimals(vectors[start:stop], " "), strict=True)
            file.write("".join(f"{escape(word)} {numbers}\n" for word, numbers in rows).encode())


def write_binary(path: str, word_vectors: WordVectors) -> None:
    """Writes word2vec's binary format: the sizes as text, then each word, a space and its float32 values."""
    vectors = np.ascontiguousarray(word_vectors.vectors, "<f4")
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(f"{len(word_vectors.words)} {vectors.shape[1]}\n".encode())
        for start in range(0, len(word_vectors.words), _BLOCK_ROWS):
            rows = zip(word_vectors.words[start : start + _BLOCK_ROWS], vectors[start:], strict=False)
            file.write(b"".join(b"%b %b\n" % (escape(word).encode(), vector.tobytes()) for word, vector in rows))


def write_projector(directory: str, word_vectors: WordVectors, counts: Sequence[int]) -> None:
    """Writes `vectors.tsv` and `metadata.tsv`, with each word's count, for https://projector.tensorflow.org."""
    words, vectors = word_vectors.words, word_vectors.vectors
    with tf.io.gfile.GFile(f"{directory}/vectors.tsv", "wb") as file:
        for start in range(0, len(words), _BLOCK_ROWS):
            file.write("".join(f"{row}\n" for row in _decimals(vectors[start : start + _BLOCK_ROWS], "\t")).encode())
    with tf.io.gfile.GFile(f"{directory}/metadata.tsv", "wb") as file:
        rows = zip(words, counts, strict=True)
        file.write(("word\tcount\n" + "".join(f"{escape(word)}\t{count}\n" for word, count in rows)).encode())


def _decimals(vectors: NDArray[np.float32], separator: str) -> list[str]:
    """Formats a line of numbers for each vector."""
    numbers = pa.array(np.asarray(vectors, np.float32).ravel()).cast(pa.string())
    starts = np.arange(0, vectors.size + 1, vectors.shape[1], dtype=np.int32)
    lines: list[str] = pa.compute.binary_join(pa.ListArray.from_arrays(starts, numbers), separator).to_pylist()
    return lines
