"""Transformed SequenceExamples as padded batches: sorted by length, cut under a token budget."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from trainer import features as f


def read(
    files: Sequence[str],
    *,
    batch_tokens: int,
    window: int,
    batch_documents: int | None = None,
    seed: int | None = None,
    epoch: int = 0,
) -> tf.data.Dataset:
    """Reads one pass over a split as batches of similar lengths.

    A window of documents is sorted by length and cut into batches whose padded size stays within
    the budget; a document longer than the budget is a batch of its own. With a seed, documents and
    the batches of a window come in an order drawn from the seed and the epoch.

    Args:
        files: GZIP TFRecord files of transformed SequenceExamples.
        batch_tokens: Ids that a batch holds at most, padding included.
        window: Documents sorted together.
        batch_documents: Documents that a batch holds at most, however short; None: any number.
        seed: Seed of the order; None keeps the order of the files from window to window.
        epoch: Number of the pass, part of the seed.

    Returns:
        A dataset of features: `tokens` int64 [batch, time] padded on the right, `length` int64
        [batch] (at least 1), `label` int64 [batch], `id` and `source` string [batch].
    """
    records = tf.data.TFRecordDataset(list(files), "GZIP")
    if seed is not None:
        records = records.shuffle(window, seed=_mix(seed, epoch), reshuffle_each_iteration=False)
    windows = records.batch(window).enumerate()
    order_seed = None if seed is None else (seed, epoch)
    limits = batch_tokens, batch_documents or tf.int64.max
    batches = windows.flat_map(lambda number, batch: _cut(f.parse_transformed(batch), number, limits, order_seed))
    return batches.prefetch(4)


def pad(tokens: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pads a batch on the right to its longest document.

    Args:
        tokens: Ids, ragged int64 [batch, time].

    Returns:
        Ids, int64 [batch, time], at least one step wide, and lengths, int64 [batch]. A document
        without tokens has length 1, one `<pad>`: recurrent kernels accept no empty sequence.
    """
    width = tf.maximum(tokens.bounding_shape(axis=1), 1)
    padded = tokens.to_tensor(f.PAD, shape=tf.stack([tf.constant(-1, tf.int64), width]))
    return tf.ensure_shape(padded, [None, None]), tf.maximum(tokens.row_lengths(), 1)


def batch_bounds(
    lengths: tf.Tensor, batch_tokens: int, batch_documents: int = tf.int64.max
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cuts documents sorted by falling length into batches under a token budget.

    Args:
        lengths: Falling lengths, int64 [documents].
        batch_tokens: Ids that a batch holds at most when padded to its first document.
        batch_documents: Documents that a batch holds at most.

    Returns:
        First and last-but-one row of each batch, int64 [batches] each.
    """
    documents = tf.size(lengths, tf.int64)

    def append(start: tf.Tensor, starts: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        within_budget = tf.maximum(batch_tokens // tf.maximum(lengths[start], 1), 1)
        rows = tf.minimum(within_budget, batch_documents)
        return start + rows, starts.write(starts.size(), start)

    empty = tf.TensorArray(tf.int64, size=0, dynamic_size=True, element_shape=[])
    _, written = tf.while_loop(lambda start, _: start < documents, append, (tf.constant(0, tf.int64), empty))
    starts = written.stack()
    return starts, tf.concat([starts[1:], [documents]], 0)


def _cut(
    batch: f.Features, number: tf.Tensor, limits: tuple[int, int], seed: tuple[int, int] | None
) -> tf.data.Dataset:
    lengths = batch[f.TOKENS].row_lengths()
    order = tf.argsort(lengths, direction="DESCENDING", stable=True)
    bounds = tf.stack(batch_bounds(tf.gather(lengths, order), *limits), axis=1)
    if seed is not None:
        bounds = tf.random.experimental.stateless_shuffle(bounds, [_mix(*seed), number])

    def rows(bound: tf.Tensor) -> f.Features:
        picked = {name: tf.gather(value, order[bound[0] : bound[1]]) for name, value in batch.items()}
        tokens, length = pad(picked[f.TOKENS])
        return {**picked, f.TOKENS: tokens, f.LENGTH: length}

    return tf.data.Dataset.from_tensor_slices(bounds).map(rows, num_parallel_calls=2, deterministic=True)


def _mix(seed: int, epoch: int) -> int:
    """One seed of two numbers; neighbouring pairs share none."""
    return (seed * 1_000_003 + epoch) % (2**31 - 1)
