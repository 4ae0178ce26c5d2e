"""The SavedModel of a classifier of documents with any number of labels."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier.servable import PROBABILITIES, ClassifierServable
from trainer.classifier.settings import DEFAULT_THRESHOLD
from trainer.data import features as f
from trainer.data import kinds
from trainer.data.reading import pad
from trainer.jobs.counting import MIN_PROBABILITY
from trainer.supervised.model_servable import EXAMPLES_INPUT

PREDICTED = "predicted"


class MultiLabelServable(ClassifierServable):
    """A classifier of any number of labels, with its transform graph.

    `serve_text` and `serve_examples` return `labels`, all class names, string [batch, classes]; `probabilities`,
    float32 [batch, classes], independent of each other; and `predicted`, bool [batch, classes], whether these reach the
    thresholds.
    """

    _kind = kinds.MULTI_LABELLED_TEXT

    def __init__(
        self,
        model: keras.Model,
        transform_graph: str,
        classes: Sequence[str],
        thresholds: NDArray[np.float32] | None = None,
    ) -> None:
        """Joins the parts as in `ClassifierServable`, and the thresholds, float32 [classes]; None: one half each."""
        super().__init__(model, transform_graph, classes)
        halves = np.full(len(classes), DEFAULT_THRESHOLD)
        self._thresholds = tf.constant(halves if thresholds is None else thresholds, tf.float32)

    @tf.function(input_signature=EXAMPLES_INPUT)
    def judge(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies serialized raw SequenceExamples, string [batch], for their evaluation.

        Returns:
            `labels` and `predicted` as `serve_text`; `given`, the names of the examples' own labels, string [batch,
            max labels], padded with ""; `loss`, the mean over the classes in nats, float32 [batch]. A label that the
            model does not know counts as one more class, with the minimum probability.
        """
        raw = f.parse_raw(examples, self._kind)
        transformed = self._transform.transform_fn(raw)
        logits = self._model([*pad(transformed[f.TOKENS])], training=False)
        classes = logits.shape[-1]
        ids = transformed[f.LABELS]
        wanted = tf.cast(multi_hot(_padded(ids, -1), classes), logits.dtype)
        unknown = tf.reduce_sum(tf.cast(ids < 0, logits.dtype), axis=1)
        losses = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits), axis=-1)
        answer = self._answer(tf.sigmoid(logits))
        return {
            f.LABELS: answer[f.LABELS],
            PREDICTED: answer[PREDICTED],
            "given": _padded(raw[f.LABELS].merge_dims(1, 2), ""),
            "loss": (losses - unknown * math.log(MIN_PROBABILITY)) / (classes + unknown),
        }

    def signatures(self) -> Mapping[str, tf.types.experimental.GenericFunction]:
        """Returns one signature per method; `serve_text` is `serving_default`; `explain` needs attention."""
        return {**super().signatures(), "judge": self.judge}

    def digest(self, directory: str, transform_settings: str) -> str:
        """Returns the digest, which includes the thresholds."""
        return super().digest(directory, json.dumps([transform_settings, self._thresholds.numpy().tolist()]))

    def _answer(self, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            f.LABELS: self._names(probabilities),
            PROBABILITIES: probabilities,
            PREDICTED: probabilities >= self._thresholds,
        }

    def _activation(self, logits: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(logits)


def multi_hot(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Returns labels as bool [batch, classes], from class ids, int64 [batch, max labels], padded with -1."""
    return tf.reduce_any(tf.one_hot(labels, classes, on_value=True, off_value=False, dtype=tf.bool), axis=1)


def _padded(rows: tf.RaggedTensor, filler: str | int) -> tf.Tensor:
    """Pads ragged rows to the longest, [batch, time], at least one wide."""
    width = tf.maximum(rows.bounding_shape(axis=1), 1)
    filled = rows.to_tensor(filler, shape=tf.stack([tf.constant(-1, tf.int64), width]))
    return tf.ensure_shape(filled, [None, None])
