"""The loss of held-out documents."""

from __future__ import annotations

import tensorflow as tf

from trainer.vectors.vector_words import Vocabulary
from trainer.word2vec.losses import Lookup
from trainer.word2vec.model import make_objective
from trainer.word2vec.sampling import NoiseTable
from trainer.word2vec.settings import Word2vecSettings
from trainer.word2vec.windows import BLOCK, LEFT, NOISE, StepTensors, extents, frames, predictions, word_rows

_NEGATIVES = 64
_BLOCKS = 256
_SEED = (0, 0)


class HeldOut:
    """Measures documents with full windows, without subsampling, and with fixed negatives."""

    def __init__(self, settings: Word2vecSettings, vocabulary: Vocabulary) -> None:
        self._settings, self._words = settings, len(vocabulary.words)
        self._objective = make_objective(
            settings.model_copy(update={"shared_negatives": _NEGATIVES}), vocabulary.counts
        )
        noise = NoiseTable(vocabulary.counts, settings.noise_exponent)
        self._noise = noise.draw([1, _NEGATIVES], tf.constant(_SEED)).numpy().astype("int32")

    def __call__(self, tokens: tf.RaggedTensor, inputs: Lookup, outputs: Lookup) -> tuple[tf.Tensor, tf.Tensor]:
        """Measures documents.

        Args:
            tokens: Ids, ragged int64 [documents, time].
            inputs: Lookup of input vectors.
            outputs: Lookup of output vectors.

        Returns:
            The summed loss of each document, in nats, and the number of its predictions, float32 [documents] each:
            pairs of words with skip-gram, words with a window with CBOW.
        """
        rows, groups, documents = word_rows(tokens, self._words, self._settings.boundary)
        missing = -tf.size(rows) % BLOCK
        left, right = extents(groups, tf.fill(tf.shape(rows), self._settings.window), missing)
        step = frames(tf.pad(rows, [[0, missing]]), left, right, self._settings.window)

        def by_document(values: tf.Tensor) -> tf.Tensor:
            real = tf.reshape(values, [-1])[: tf.size(rows)]
            return tf.math.unsorted_segment_sum(real, documents, tokens.nrows())

        losses = self._losses(step, inputs, outputs)
        return by_document(losses), by_document(predictions(step, self._settings.model))

    def _losses(self, step: StepTensors, inputs: Lookup, outputs: Lookup) -> tf.Tensor:
        """Returns the loss of each word, float32 [blocks, BLOCK], computed in parts to save gigabytes of memory."""
        parts = tf.maximum(-(-tf.shape(step[LEFT])[0] // _BLOCKS), 1)
        losses = tf.TensorArray(tf.float32, parts, infer_shape=False, element_shape=[None, BLOCK])
        for part in tf.range(parts):
            some = {name: values[part * _BLOCKS : (part + 1) * _BLOCKS] for name, values in step.items()}
            some[NOISE] = self._noise
            losses = losses.write(part, self._objective(some, inputs, outputs, 0.0).losses)
        return losses.concat()
