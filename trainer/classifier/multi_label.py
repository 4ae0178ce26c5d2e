"""Documents with any number of labels: a separate sigmoid decides on each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier import thresholds
from trainer.classifier.linear.classifier_head import ClassifierHead
from trainer.classifier.multi_label_servable import MultiLabelServable, multi_hot
from trainer.data import features as f
from trainer.jobs.training_job import TrainingJob
from trainer.supervised import samples
from trainer.training.objective import Outcome


class MultiLabel(ClassifierHead):
    """The head for any number of labels; each class has a threshold."""

    targets: ClassVar = {f.LABELS: tf.TensorSpec([None, None], tf.int64)}
    exclusive = False

    def check(self) -> None:
        """Checks the thresholds' class names.

        Raises:
            JobError: If one is unknown.
        """
        thresholds.given(self.settings.thresholds, self.classes)

    def judge(self, batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
        """Compares logits, float [batch, classes], with `labels`.

        The loss of a document is the mean binary cross-entropy over the classes; smoothing moves each target by its
        share toward one half, as in Keras' BinaryCrossentropy. A document is correct if exactly its labels have a
        probability of one half or more.
        """
        wanted = multi_hot(batch[f.LABELS], logits.shape[-1])
        targets = tf.cast(wanted, logits.dtype) * (1 - smoothing) + smoothing / 2
        losses = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits), axis=-1)
        return Outcome(losses, tf.ones_like(losses), tf.reduce_all(tf.equal(logits >= 0, wanted), axis=-1))

    def wanted(self, batch: f.Features) -> NDArray[np.float64]:
        """Returns the targets of a batch as 0 and 1, [batch, classes]."""
        return np.asarray(multi_hot(batch[f.LABELS], len(self.classes)), np.float64)

    def describe(self, batch: f.Features, logits: tf.Tensor, words: Sequence[str]) -> str:
        """Formats a batch with its predicted and true labels as Markdown."""
        return samples.describe_labels(batch, logits, self.target, words, self.classes)

    def servable(self, model: keras.Model, job: TrainingJob) -> tuple[MultiLabelServable, Mapping[str, Any]]:
        """Returns the model to publish and its thresholds, which the settings may tune on the eval split."""
        joint, details = self.join(model, job)
        chosen = thresholds.given(self.settings.thresholds, self.classes)
        if chosen is None:
            chosen = thresholds.tuned(*self._answers(joint, job))
        named = dict(zip(self.classes, chosen.tolist(), strict=True))
        return MultiLabelServable(joint, job.graph, self.classes, chosen), {**details, "thresholds": named}

    def _answers(self, model: keras.Model, job: TrainingJob) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Returns probabilities and labels of the eval split, [documents, classes] each."""

        @tf.function(reduce_retracing=True)
        def answer(batch: f.Features) -> tuple[tf.Tensor, tf.Tensor]:
            logits = model([batch[name] for name in self.inputs], training=False)
            return tf.sigmoid(logits), multi_hot(batch[f.LABELS], len(self.classes))

        names = (*self.inputs, *self.targets)
        numbers = ({name: batch[name] for name in names} for batch in self.batches(job.eval_files))
        found = [[part.numpy() for part in answer(batch)] for batch in numbers]
        probabilities, wanted = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return probabilities, wanted
