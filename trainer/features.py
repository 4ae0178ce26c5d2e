"""The data contract: names, dtypes and shapes of every feature on disk and in memory."""

from __future__ import annotations

import tensorflow as tf

ID = "id"
SOURCE = "source"
LABEL = "label"
TEXT = "text"
TOKENS = "tokens"
LENGTH = "length"

PAD, UNK, BOS, EOS = range(4)
RESERVED_WORDS = ("<pad>", "<unk>", "<bos>", "<eos>")

Features = dict[str, tf.Tensor | tf.RaggedTensor]
"""Features of a batch by name; context features are [batch], feature lists ragged [batch, time]."""

_RAW_CONTEXT = {name: tf.io.FixedLenFeature([], tf.string, default_value="") for name in (ID, SOURCE, LABEL)}
_RAW_LISTS = {TEXT: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64)}

_TRANSFORMED_CONTEXT = {
    ID: tf.io.FixedLenFeature([], tf.string),
    SOURCE: tf.io.FixedLenFeature([], tf.string),
    LABEL: tf.io.FixedLenFeature([], tf.int64),
    LENGTH: tf.io.FixedLenFeature([], tf.int64),
}
_TRANSFORMED_LISTS = {TOKENS: tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)}


def parse_raw(serialized: tf.Tensor) -> Features:
    """Parses raw `tf.SequenceExample` records.

    Args:
        serialized: Records, string [batch].

    Returns:
        `id`, `source` and `label` as string [batch] (empty where absent) and `text` as ragged
        string [batch, segments, 1], as TensorFlow Transform reads it.
    """
    context, lists, _ = tf.io.parse_sequence_example(serialized, _RAW_CONTEXT, _RAW_LISTS)
    return {**context, **lists}


def parse_transformed(serialized: tf.Tensor) -> Features:
    """Parses transformed `tf.SequenceExample` records.

    Args:
        serialized: Records, string [batch].

    Returns:
        `id` and `source` as string [batch], `label` and `length` as int64 [batch], and `tokens` as
        ragged int64 [batch, time].
    """
    context, lists, _ = tf.io.parse_sequence_example(serialized, _TRANSFORMED_CONTEXT, _TRANSFORMED_LISTS)
    return {**context, TOKENS: lists[TOKENS].merge_dims(1, 2)}
