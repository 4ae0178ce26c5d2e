"""The data contract: names, dtypes and shapes of every feature on disk and in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Collection

import tensorflow as tf

from trainer import settings
from trainer.settings import Kind

ID = "id"
SOURCE = "source"
LABEL = "label"
LABELS = "labels"
TEXT = "text"
TOKENS = "tokens"
TAGS = "tags"
LENGTH = "length"
WEIGHT = "weight"
"""What a document counts in the loss of training: a context feature, float, of any kind of corpus that has weights."""

PAD, UNK, BOS, EOS = range(4)
RESERVED_WORDS = settings.RESERVED_WORDS

Features = dict[str, tf.Tensor | tf.RaggedTensor]
"""Features of a batch by name; context features are [batch], feature lists [batch, time], ragged or padded."""

RAW: dict[Kind, tuple[str, ...]] = {
    "text": (ID, SOURCE, TEXT),
    "labelled_text": (ID, SOURCE, LABEL, TEXT),
    "multi_labelled_text": (ID, SOURCE, LABELS, TEXT),
    "tagged_text": (ID, SOURCE, TOKENS, TAGS),
}
"""Raw features of each kind of corpus: what its transform graph takes."""

TRANSFORMED: dict[Kind, tuple[str, ...]] = {
    "text": (ID, SOURCE, LENGTH, TOKENS),
    "labelled_text": (ID, SOURCE, LABEL, LENGTH, TOKENS),
    "multi_labelled_text": (ID, SOURCE, LABELS, LENGTH, TOKENS),
    "tagged_text": (ID, SOURCE, LENGTH, TOKENS, TAGS),
}
"""Transformed features of each kind of corpus."""

_RAW_CONTEXT = {name: tf.io.FixedLenFeature([], tf.string, default_value="") for name in (ID, SOURCE, LABEL)}
_RAW_WEIGHT = {WEIGHT: tf.io.FixedLenFeature([], tf.float32, default_value=math.nan)}
_RAW_LISTS = {name: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64) for name in (TEXT, LABELS, TOKENS, TAGS)}


def parse_raw(serialized: tf.Tensor, kind: Kind | None = None, *, weighted: bool = False) -> Features:
    """Parses raw `tf.SequenceExample` records.

    Args:
        serialized: Records, string [batch].
        kind: The kind of corpus, whose features are returned; None: those of all kinds.
        weighted: Return `weight`, too, float32 [batch], NaN where absent.

    Returns:
        `id`, `source` and `label` as string [batch] (empty where absent); `text` as ragged string
        [batch, segments, 1], as TensorFlow Transform reads it, and likewise `tokens` and `tags` as
        ragged string [batch, time, 1] and `labels` as ragged string [batch, labels, 1] (no steps where absent).
    """
    names = {*_RAW_CONTEXT, *_RAW_LISTS} if kind is None else RAW[kind]
    scalars = {**_pick(_RAW_CONTEXT, names), **(_RAW_WEIGHT if weighted else {})}
    context, lists, _ = tf.io.parse_sequence_example(serialized, scalars, _pick(_RAW_LISTS, names))
    return {**context, **lists}


def transform_settings(directory: str) -> settings.TransformSettings:
    """Reads what a transform graph was made with.

    Args:
        directory: The transform graph, with `settings.json`.
    """
    with tf.io.gfile.GFile(f"{directory}/settings.json") as file:
        values = json.loads(file.read())
    return settings.TransformSettings.model_validate({name: values[name] for name in values if name != "kind"})


def vocabulary_size(directory: str) -> int:
    """Counts the ids that a transform graph yields: the lines of `vocabulary.txt`, and the buckets after them.

    Args:
        directory: The transform graph, with `settings.json` beside the vocabulary.
    """
    with tf.io.gfile.GFile(f"{directory}/vocabulary.txt", "rb") as file:
        lines: int = file.read().count(b"\n")
    return lines + transform_settings(directory).oov_buckets


def _pick(specs: dict[str, object], names: Collection[str]) -> dict[str, object]:
    return {name: spec for name, spec in specs.items() if name in names}
