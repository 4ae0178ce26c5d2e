"""The data contract: names, dtypes and shapes of every feature on disk and in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Collection

import tensorflow as tf

from trainer import settings
from trainer.data import kinds

ID, SOURCE, LENGTH = kinds.ID, kinds.SOURCE, kinds.LENGTH
TEXT, TOKENS, WORDS = kinds.TEXT, kinds.TOKENS, kinds.WORDS
LABEL, LABELS, TAGS = kinds.LABEL, kinds.LABELS, kinds.TAGS
WEIGHT = "weight"
"""A document's weight in the training loss: an optional float context feature of any kind of corpus."""

PAD, UNK, BOS, EOS = range(4)
RESERVED_WORDS = settings.RESERVED_WORDS

Features = dict[str, tf.Tensor | tf.RaggedTensor]
"""Features of a batch by name; context features are [batch], feature lists [batch, time], ragged or padded."""

_RAW_CONTEXT = {name: tf.io.FixedLenFeature([], tf.string, default_value="") for name in (ID, SOURCE, LABEL)}
_RAW_WEIGHT = {WEIGHT: tf.io.FixedLenFeature([], tf.float32, default_value=math.nan)}
_RAW_LISTS = {name: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64) for name in (TEXT, LABELS, TOKENS, TAGS)}


def parse_raw(serialized: tf.Tensor, kind: kinds.CorpusKind, *, weighted: bool = False) -> Features:
    """Parses raw `tf.SequenceExample` records.

    Args:
        serialized: Records, string [batch].
        kind: The kind of corpus.
        weighted: Also return `weight`, float32 [batch], NaN where absent.

    Returns:
        `id`, `source` and `label` as string [batch] (empty where absent); as ragged string (no steps where absent)
        `text` [batch, segments, 1], as TensorFlow Transform reads it, `tokens` and `tags` [batch, time, 1] and
        `labels` [batch, labels, 1].
    """
    scalars = {**_pick(_RAW_CONTEXT, kind.raw), **(_RAW_WEIGHT if weighted else {})}
    context, lists, _ = tf.io.parse_sequence_example(serialized, scalars, _pick(_RAW_LISTS, kind.raw))
    return {**context, **lists}


def transform_settings(directory: str) -> settings.TransformSettings:
    """Reads the settings of a transform graph from its `settings.json`."""
    with tf.io.gfile.GFile(f"{directory}/settings.json") as file:
        values = json.loads(file.read())
    return settings.TransformSettings.model_validate({name: values[name] for name in values if name != "kind"})


def vocabulary_size(directory: str) -> int:
    """Counts the ids that a transform graph yields: the lines of its `vocabulary.txt` plus the hash buckets."""
    with tf.io.gfile.GFile(f"{directory}/vocabulary.txt", "rb") as file:
        lines: int = file.read().count(b"\n")
    return lines + transform_settings(directory).oov_buckets


def _pick(specs: dict[str, object], names: Collection[str]) -> dict[str, object]:
    return {name: spec for name, spec in specs.items() if name in names}
