"""Trains the document classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf

from trainer.classifier import model, ngrams
from trainer.classifier.multi_label import MultiLabel
from trainer.classifier.ngrams import NgramCounts
from trainer.classifier.servable import ClassifierServable
from trainer.classifier.settings import ClassifierSettings
from trainer.data import features as f
from trainer.jobs.training_job import TrainingJob
from trainer.supervised.cross_entropy import cross_entropy
from trainer.supervised.head import Head
from trainer.supervised.supervised import Supervised
from trainer.training.objective import Outcome


class SingleLabel(Head[ClassifierSettings]):
    """The head for one label per document."""

    targets: ClassVar = {f.LABEL: tf.TensorSpec([None], tf.int64)}

    def counts(self, train: tf.data.Dataset) -> Mapping[str, NgramCounts]:
        """Counts the n-grams of the train split for the n-gram head, if the settings have one."""
        if self.settings.ngrams is None:
            return {}
        return {"ngrams": ngrams.count(train, len(self.classes), **self.settings.ngrams.model_dump())}

    def judge(self, batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
        """Compares logits, float [batch, classes] or [batch, heads, classes], with `label`.

        The loss of several heads is their mean loss; their answer is that of their mean logits.
        """
        label = batch[f.LABEL]
        heads = logits if logits.shape.rank == 3 else logits[:, tf.newaxis]
        repeated = tf.repeat(label[:, tf.newaxis], heads.shape[1], axis=1)
        losses = tf.reduce_mean(cross_entropy(repeated, heads, smoothing), 1)
        return Outcome(losses, tf.ones_like(losses), tf.equal(tf.argmax(tf.reduce_mean(heads, 1), -1), label))

    def servable(self, model: keras.Model, job: TrainingJob) -> tuple[ClassifierServable, Mapping[str, Any]]:
        """Returns the model to publish."""
        return ClassifierServable(model, job.graph, self.classes), {}


class Classifier(Supervised[ClassifierSettings]):
    """The classifier of documents with one label or any number of labels."""

    name = "classifier"
    settings = ClassifierSettings
    build = staticmethod(model.build)

    def head(self, job: TrainingJob, settings: ClassifierSettings) -> Head[ClassifierSettings]:
        """Returns the head for the kind of the corpus."""
        head = MultiLabel if job.kind.multi_label else SingleLabel
        return head(settings, job.classes)


CLASSIFIER = Classifier()
