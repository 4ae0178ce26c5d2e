"""Parses batches of transformed SequenceExamples: lengths, tokens, padded batches."""

from __future__ import annotations

import tensorflow as tf

from trainer.data import features as f
from trainer.data import kinds

_CONTEXT = {
    **{name: tf.io.FixedLenFeature([], tf.string) for name in (f.ID, f.SOURCE)},
    **{name: tf.io.FixedLenFeature([], tf.int64) for name in (f.LABEL, f.LENGTH)},
}
_LISTS = {
    **{name: tf.io.FixedLenSequenceFeature([], tf.int64) for name in (f.TOKENS, f.TAGS)},
    f.WORDS: tf.io.FixedLenSequenceFeature([], tf.string),
}
_WEIGHT = {f.WEIGHT: tf.io.FixedLenFeature([], tf.float32)}
_FILLERS = {tf.int64: 0, tf.string: ""}
"""What fills the steps after the end of a document."""
_Specs = dict[str, tf.io.FixedLenFeature | tf.io.FixedLenSequenceFeature | tf.io.RaggedFeature]


def lengths(serialized: tf.Tensor) -> tf.Tensor:
    """Reads only the lengths, int64 [batch]; thirty times as fast as parsing tokens."""
    return _parse(serialized, {f.LENGTH: _CONTEXT[f.LENGTH]}, {})[0][f.LENGTH]


def kind_of(record: bytes) -> kinds.CorpusKind:
    """Returns the kind of corpus that a record belongs to."""
    example = tf.train.SequenceExample.FromString(record)
    names = {*example.context.feature, *example.feature_lists.feature_list}
    # The last kinds first: a record with tags may also have a label.
    return next((kind for kind in reversed(kinds.KINDS.values()) if kind.target in names), kinds.PLAIN_TEXT)


def padded_batch(serialized: tf.Tensor, kind: kinds.CorpusKind, *, weighted: bool = False) -> f.Features:
    """Parses a batch, without padding stored in the records, and pads it on the right to its longest document.

    Args:
        serialized: Records, string [batch].
        kind: The kind of corpus.
        weighted: Whether its documents have weights, `weight` float32 [batch].

    Returns:
        `id`, `source` string [batch]; `length` int64 [batch], at least 1; `tokens` int64 [batch, time],
        at least one step wide; where the kind has them `label` int64 [batch], `labels` int64 [batch, max labels]
        (ascending class ids, then -1; at least one wide), `tags` int64 [batch, time] and `words` string [batch, time].
    """
    names = kind.transformed
    context_specs = {name: spec for name, spec in _CONTEXT.items() if name in names} | (_WEIGHT if weighted else {})
    list_specs = {name: spec for name, spec in _LISTS.items() if name in names}
    # The parser itself pads the lists of a batch to the longest with 0, which is <pad>, or with empty text.
    label_specs = {f.LABELS: tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)} if f.LABELS in names else {}
    context, lists, steps = _parse(serialized, context_specs, {**list_specs, **label_specs})
    labels = {name: _padded_labels(lists.pop(name)) for name in label_specs}
    length = context[f.LENGTH]
    unpadded = tf.reduce_all([tf.reduce_all(found == length) for found in steps.values()])
    lists = tf.cond(unpadded, lambda: lists, lambda: _moved_left(context, lists, steps))
    # A batch of documents without tokens has no column yet.
    missing = tf.maximum(1 - tf.shape(lists[f.TOKENS])[1], 0)
    lists = {
        name: tf.pad(values, [[0, 0], [0, missing]], constant_values=_FILLERS[values.dtype])
        for name, values in lists.items()
    }
    lists = {name: tf.ensure_shape(values, [None, None]) for name, values in lists.items()}
    return {**context, **labels, **lists, f.LENGTH: tf.maximum(length, 1)}


def tokens(serialized: tf.Tensor) -> tf.RaggedTensor:
    """Parses only tokens, ragged int64 [batch, time], without padding stored in the records."""
    context_specs = {name: _CONTEXT[name] for name in (f.ID, f.LENGTH)}
    list_specs = {f.TOKENS: tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)}
    context, lists, _ = _parse(serialized, context_specs, list_specs)
    stored = lists[f.TOKENS].merge_dims(1, 2)

    def without_padding() -> tf.RaggedTensor:
        kept = stored.with_values(stored.values != f.PAD)
        real = tf.reduce_sum(tf.cast(kept, tf.int64), axis=1)
        with tf.control_dependencies([_require(real == context[f.LENGTH], context, stored.row_lengths())]):
            return tf.ragged.boolean_mask(stored, kept)

    return tf.cond(tf.reduce_all(stored.row_lengths() == context[f.LENGTH]), lambda: stored, without_padding)


def _padded_labels(labels: tf.RaggedTensor) -> tf.Tensor:
    """Pads class ids, ragged int64 [batch, labels, 1], with -1, which is not a class."""
    rows = labels.merge_dims(1, 2)
    width = tf.maximum(rows.bounding_shape(axis=1), 1)
    padded = rows.to_tensor(-1, shape=tf.stack([tf.constant(-1, tf.int64), width]))
    return tf.ensure_shape(padded, [None, None])


def _moved_left(context: f.Features, lists: f.Features, steps: f.Features) -> f.Features:
    """Shifts documents of left-padded records to the start of their rows, [batch, time]."""
    length, stored = context[f.LENGTH], steps[f.TOKENS]
    right = tf.math.count_nonzero(lists[f.TOKENS] != f.PAD, axis=1) == length
    for found in steps.values():
        right &= found == stored
    with tf.control_dependencies([_require(right, context, stored)]):
        width = tf.reduce_max(length)
    first = tf.where(lists[f.TOKENS][:, 0] == f.PAD, stored - length, 0)
    real = tf.sequence_mask(length, width)
    columns = tf.where(real, tf.range(width)[tf.newaxis, :] + first[:, tf.newaxis], 0)
    moved = {name: tf.gather(rows, columns, batch_dims=1) for name, rows in lists.items()}
    return {name: tf.where(real, rows, _FILLERS[rows.dtype]) for name, rows in moved.items()}


def _require(right: tf.Tensor, context: f.Features, stored: tf.Tensor) -> tf.Operation:
    """Fails with the ids of records whose lists do not match `length`."""
    wrong = tf.logical_not(right)
    data = ["Damaged records: length must equal the number of ids other than <pad>, and tags and words as many."]
    data += ["Ids, steps and lengths of these records:"]
    data += [tf.boolean_mask(values, wrong) for values in (context[f.ID], stored, context[f.LENGTH])]
    return tf.debugging.Assert(tf.reduce_all(right), data)


def _parse(serialized: tf.Tensor, context: _Specs, lists: _Specs) -> tuple[f.Features, f.Features, f.Features]:
    """Parses a batch that may be empty, which TensorFlow's parser rejects."""
    size = tf.size(serialized)
    filled = tf.cond(size > 0, lambda: serialized, lambda: tf.constant([_EMPTY]))
    parsed = tf.io.parse_sequence_example(filled, context, lists)
    found, values, steps = ({name: value[:size] for name, value in part.items()} for part in parsed)
    return found, values, steps


def _empty_record() -> bytes:
    """A record that has every feature but no tokens."""
    text, number = tf.train.Feature(bytes_list={"value": [b""]}), tf.train.Feature(int64_list={"value": [0]})
    weight = tf.train.Feature(float_list={"value": [0]})
    context = {f.ID: text, f.SOURCE: text, f.LABEL: number, f.LENGTH: number, f.WEIGHT: weight}
    lists = {name: tf.train.FeatureList() for name in (*_LISTS, f.LABELS)}
    example = tf.train.SequenceExample(context={"feature": context}, feature_lists={"feature_list": lists})
    serialized: bytes = example.SerializeToString()
    return serialized


_EMPTY = _empty_record()
