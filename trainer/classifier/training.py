"""Trains the document classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier import model, ngrams
from trainer.classifier.multi_label import MultiLabel
from trainer.classifier.ngrams import NgramCounts
from trainer.classifier.servable import ClassifierServable
from trainer.classifier.settings import ClassifierSettings
from trainer.data import features as f
from trainer.jobs.job import TrainingJob
from trainer.supervised.cross_entropy import cross_entropy
from trainer.supervised.head import Head
from trainer.supervised.supervised import Supervised
from trainer.training.objective import Outcome


class SingleLabel(Head[ClassifierSettings]):
    """The head for one label a document."""

    targets: ClassVar = {f.LABEL: tf.TensorSpec([None], tf.int64)}

    def counts(self, train: tf.data.Dataset) -> Mapping[str, NgramCounts]:
        """Counts the n-grams of the train split where the settings ask for them."""
        if self.settings.ngrams is None:
            return {}
        return {"ngrams": ngrams.count(train, len(self.classes), **self.settings.ngrams.model_dump())}

    def judge(self, batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
        """Judges the logits of a batch, float [batch, classes] or [batch, heads, classes], by `label`.

        The loss of several heads is their mean loss; their common answer is that of their mean logits.
        """
        label = batch[f.LABEL]
        heads = logits if logits.shape.rank == 3 else logits[:, tf.newaxis]
        repeated = tf.repeat(label[:, tf.newaxis], heads.shape[1], axis=1)
        losses = tf.reduce_mean(cross_entropy(repeated, heads, smoothing), 1)
        return Outcome(losses, tf.ones_like(losses), tf.equal(tf.argmax(tf.reduce_mean(heads, 1), -1), label))

    def servable(self, model: keras.Model, job: TrainingJob) -> tuple[ClassifierServable, Mapping[str, Any]]:
        """Returns what is published."""
        return ClassifierServable(model, job.graph, self.classes), {}


class Classifier(Supervised[ClassifierSettings]):
    """The classifier of documents with one label or any number of labels."""

    name = "classifier"
    settings = ClassifierSettings

    def head(self, job: TrainingJob, settings: ClassifierSettings) -> Head[ClassifierSettings]:
        """Returns the head for the kind of the corpus."""
        head = MultiLabel if job.kind.multi_label else SingleLabel
        return head(settings, job.classes)

    def build(
        self,
        settings: ClassifierSettings,
        vocabulary_size: int,
        classes: int,
        vectors: NDArray[np.float32] | None = None,
        **counts: Any,
    ) -> keras.Model:
        """Builds the model by `trainer.classifier.model.build`."""
        return model.build(settings, vocabulary_size, classes, vectors, **counts)


CLASSIFIER = Classifier()
