"""Documents as sequences of segments, which marks in the token ids separate."""

from __future__ import annotations

import keras
import tensorflow as tf

from trainer.data import features as f


def begins(tokens: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Marks the first token of each segment: the document's first, `<bos>`, and the token after `<eos>`.

    Marks belong to their segments, so that no segment is empty.

    Args:
        tokens: Ids, int64 [batch, time], padded on the right.
        steps: Which of them are real, bool [batch, time].

    Returns:
        Bool [batch, time].
    """
    after_end = tf.pad(tokens[:, :-1] == f.EOS, [[0, 0], [1, 0]], constant_values=True)
    return steps & (after_end | (tokens == f.BOS))


@keras.saving.register_keras_serializable("seqloom")
class Segments(keras.layers.Layer):
    """Splits the words of documents into segments, one per row."""

    def call(self, vectors: tf.Tensor, tokens: tf.Tensor, steps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Splits vectors [batch, time, width] by ids [batch, time]; `steps` marks the real ones, bool [batch, time].

        Returns:
            The words of each segment, padded on the right, float [segments, words, width]; which of them are real, bool
            [segments, words]; the row of each segment's document, int64 [segments].
        """
        rows, starts = tf.unstack(tf.where(begins(tokens, steps)), axis=1)
        ends = tf.gather(tf.math.count_nonzero(steps, axis=1), rows)
        within = tf.concat([rows[1:] == rows[:-1], tf.zeros_like(rows[:1], tf.bool)], 0)
        lengths = tf.where(within, tf.concat([starts[1:], starts[:1]], 0), ends) - starts
        real = tf.sequence_mask(lengths, tf.maximum(tf.reduce_max(lengths), 1))
        columns = tf.where(real, starts[:, tf.newaxis] + tf.range(tf.shape(real, tf.int64)[1]), 0)
        places = tf.stack([tf.broadcast_to(rows[:, tf.newaxis], tf.shape(columns)), columns], axis=-1)
        return tf.gather_nd(vectors, places), real, rows


@keras.saving.register_keras_serializable("seqloom")
class Documents(keras.layers.Layer):
    """Groups the vectors of segments by document, one per row."""

    def call(self, vectors: tf.Tensor, rows: tf.Tensor, steps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Groups a batch.

        Args:
            vectors: Vectors of segments, float [segments, width].
            rows: The row of each segment's document, ascending, int64 [segments].
            steps: Which words of the documents are real, bool [batch, time].

        Returns:
            The segments of each document, padded on the right, float [batch, max segments, width], and which of them
            are real, bool [batch, max segments].
        """
        ragged = tf.RaggedTensor.from_value_rowids(vectors, rows, tf.shape(steps, tf.int64)[0], validate=False)
        counts = ragged.row_lengths()
        most = tf.maximum(tf.reduce_max(counts), 1)
        width = vectors.shape[-1]
        padded = ragged.to_tensor(shape=tf.stack([tf.constant(-1, tf.int64), most, width]))
        return tf.ensure_shape(padded, [None, None, width]), tf.sequence_mask(counts, most)


@keras.saving.register_keras_serializable("seqloom")
class TokenWeights(keras.layers.Layer):
    """The weights of tokens in a document: those within their segment times that of the segment."""

    def call(self, tokens: tf.Tensor, steps: tf.Tensor, words: tf.Tensor, segments: tf.Tensor) -> tf.Tensor:
        """Multiplies weights.

        Args:
            tokens: Ids, int64 [batch, time].
            steps: Which of them are real, bool [batch, time].
            words: Weights of the words of each segment, float32 [segments, words].
            segments: Weights of the segments of each document, float32 [batch, max segments].

        Returns:
            Float32 [batch, time], 0 where `steps` is false.
        """
        first = begins(tokens, steps)
        number = tf.cumsum(tf.cast(first, tf.int64), axis=1) - 1
        row = tf.reshape(tf.cumsum(tf.cast(tf.reshape(first, [-1]), tf.int64)) - 1, tf.shape(number))
        starts = tf.gather(tf.where(first)[:, 1], row)
        inside = tf.where(steps, tf.range(tf.shape(tokens, tf.int64)[1]) - starts, 0)
        weights = tf.gather_nd(words, tf.stack([row, inside], axis=-1)) * tf.gather(segments, number, batch_dims=1)
        return tf.where(steps, weights, 0)
