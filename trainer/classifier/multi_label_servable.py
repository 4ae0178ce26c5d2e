"""The SavedModel of a classifier whose documents have any number of labels."""

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

PREDICTED = "predicted"
GIVEN = "given"
LOSS = "loss"

_LEAST_PROBABILITY = 1e-7
"""What a label that the model does not know counts in the loss, as the tagger's unknown tags do."""

_EXAMPLES = [tf.TensorSpec([None], tf.string, name="examples")]


class MultiLabelServable(ClassifierServable):
    """A classifier of any number of labels together with the transform graph that made its data.

    `serve_text` and `serve_examples` give `labels`, all class names, string [batch, classes]; `probabilities`, float32
    [batch, classes], each class' by itself; and `predicted`, bool [batch, classes], whether these reach the thresholds.
    """

    _kind = kinds.MULTI_LABELLED_TEXT

    def __init__(
        self,
        model: keras.Model,
        transform_graph: str,
        classes: Sequence[str],
        thresholds: NDArray[np.float32] | None = None,
    ) -> None:
        """Joins the parts.

        Args:
            model: From tokens and lengths to logits.
            transform_graph: The transform graph's SavedModel directory.
            classes: Names of the classes in the order of their ids.
            thresholds: The probability from which on a document has a class, float32 [classes]; None: one half.
        """
        super().__init__(model, transform_graph, classes)
        halves = np.full(len(classes), DEFAULT_THRESHOLD)
        self._thresholds = tf.constant(halves if thresholds is None else thresholds, tf.float32)

    @tf.function(input_signature=_EXAMPLES)
    def label_ids(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Gives the class ids of serialized raw SequenceExamples, string [batch].

        Returns:
            `label_ids`, int64 [batch, most labels], filled up with -1, as which a label that is no class counts too.
        """
        ids = self._transform.transform_fn(f.parse_raw(examples, self._kind))[f.LABELS]
        return {"label_ids": _padded(ids, -1)}

    @tf.function(input_signature=_EXAMPLES)
    def judge(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies serialized raw SequenceExamples, string [batch], for their evaluation.

        Returns:
            `labels` and `predicted` as `serve_text`; `given`, the names of the examples' own labels, string [batch,
            most labels], filled up with ""; `loss`, the mean over the classes in nats, float32 [batch]. A label that
            is none of the model's classes is one more class, which has the least probability.
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
            GIVEN: _padded(raw[f.LABELS].merge_dims(1, 2), ""),
            LOSS: (losses - unknown * math.log(_LEAST_PROBABILITY)) / (classes + unknown),
        }

    def signatures(self) -> Mapping[str, tf.types.experimental.GenericFunction]:
        """Returns one signature a method; `serve_text` is `serving_default`; `explain` needs attention."""
        return {**super().signatures(), "judge": self.judge}

    def digest(self, directory: str, transform_settings: str) -> str:
        """Returns the digest; the thresholds are part of it because they decide the answers."""
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
    """Marks the labels of documents.

    Args:
        labels: Class ids, int64 [batch, most labels]; a negative one is none.
        classes: Number of classes.

    Returns:
        Bool [batch, classes].
    """
    return tf.reduce_any(tf.one_hot(labels, classes, on_value=True, off_value=False, dtype=tf.bool), axis=1)


def _padded(rows: tf.RaggedTensor, filler: str | int) -> tf.Tensor:
    """Pads ragged rows to the longest, [batch, most], at least one wide."""
    width = tf.maximum(rows.bounding_shape(axis=1), 1)
    filled = rows.to_tensor(filler, shape=tf.stack([tf.constant(-1, tf.int64), width]))
    return tf.ensure_shape(filled, [None, None])
