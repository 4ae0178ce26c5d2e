"""Lookup tables of the lines of a file."""

from __future__ import annotations

import tensorflow as tf


def lines_table(path: str | tf.Tensor, default: int) -> tf.lookup.StaticHashTable:
    """Returns a lookup table from a file's lines to their numbers from 0; `default` for unknown lines."""
    initializer = tf.lookup.TextFileInitializer(
        path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    return tf.lookup.StaticHashTable(initializer, default)
