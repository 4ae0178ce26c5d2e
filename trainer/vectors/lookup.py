"""Lookup of words' rows and of rows' words, as operations of the SavedModel."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from trainer.settings import TransformSettings
from trainer.text.lines_table import lines_table
from trainer.text.normalization import normalize, without_nul

ABSENT = -1
"""The row of a word without a vector."""


class WordLookup(tf.Module):
    """The vocabulary as lookup tables, whose files become assets of the SavedModel.

    Words are unique and in the order of their rows; queries are normalized by the settings.
    """

    def __init__(self, words: Sequence[str], settings: TransformSettings) -> None:
        super().__init__(name="lookup")
        self._settings = settings
        # The tables read their files when they are created and when they are saved.
        self._files = tempfile.TemporaryDirectory()
        path = self._write("words.txt", [word.encode() for word in words])
        self._rows = lines_table(path, ABSENT)
        line, text = tf.lookup.TextFileIndex.LINE_NUMBER, tf.lookup.TextFileIndex.WHOLE_LINE
        names = tf.lookup.TextFileInitializer(path, tf.int64, line, tf.string, text)
        self._names = tf.lookup.StaticHashTable(names, "")
        folded: dict[bytes, list[int]] = {}
        for row, word in enumerate(_fold(tf.constant(list(words))).numpy().tolist()):
            folded.setdefault(word, []).append(row)
        self._folded = lines_table(self._write("folded_words.txt", list(folded)), ABSENT)
        variants = np.array([row for rows in folded.values() for row in rows], np.int64)
        self._variants = tf.RaggedTensor.from_row_lengths(variants, [len(rows) for rows in folded.values()])

    def rows(self, words: tf.Tensor) -> tf.Tensor:
        """Looks up words unchanged, otherwise normalized.

        Args:
            words: UTF-8, string, any shape.

        Returns:
            Rows, int64 of the same shape; `ABSENT` for unknown words.
        """
        rows = self._rows.lookup(words)
        return tf.where(rows == ABSENT, self._rows.lookup(self.normalized(words)), rows)

    def normalized(self, words: tf.Tensor) -> tf.Tensor:
        """Normalizes words like the corpus, and joins the words of a phrase; string of the same shape."""
        normalized = normalize(words, self._settings)
        if self._settings.phrases is None:
            return normalized
        delimiter = self._settings.phrases.delimiter.replace("\\", r"\\")
        return tf.strings.regex_replace(tf.strings.strip(normalized), r"\s+", delimiter)

    def names(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the words of rows, string of the same shape; empty for `ABSENT`."""
        return self._names.lookup(rows)

    def folded(self, words: tf.Tensor) -> tf.Tensor:
        """Looks up words ignoring case.

        Args:
            words: UTF-8, string, any shape.

        Returns:
            Numbers of groups of words that differ only in case, int64 of the same shape; `ABSENT` for unknown words.
        """
        groups = self._folded.lookup(_fold(words))
        return tf.where(groups == ABSENT, self._folded.lookup(_fold(self.normalized(words))), groups)

    def variants(self, groups: tf.Tensor) -> tf.RaggedTensor:
        """Returns the rows of groups from `folded`, without `ABSENT`: ragged int64, the most frequent word first."""
        return tf.gather(self._variants, groups)

    def _write(self, name: str, lines: Sequence[bytes]) -> str:
        path = Path(self._files.name) / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return str(path)


def _fold(words: tf.Tensor) -> tf.Tensor:
    return tf.strings.upper(without_nul(words), encoding="utf-8")
