"""Trains the document classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier import model
from trainer.classifier.linear.classifier_head import ClassifierHead
from trainer.classifier.multi_label import MultiLabel
from trainer.classifier.servable import ClassifierServable
from trainer.classifier.settings import ClassifierSettings
from trainer.data import features as f
from trainer.jobs.training_job import TrainingJob
from trainer.supervised.cross_entropy import cross_entropy
from trainer.supervised.head import Head
from trainer.supervised.supervised import Supervised
from trainer.training.objective import Outcome
from trainer.training.pace import BESIDE_NGRAMS, OF_DOCUMENTS, PacePlan


class SingleLabel(ClassifierHead):
    """The head for one label per document."""

    targets: ClassVar = {f.LABEL: tf.TensorSpec([None], tf.int64)}
    exclusive = True

    def judge(self, batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
        """Compares logits, float [batch, classes], with `label`."""
        label = batch[f.LABEL]
        losses = cross_entropy(label, logits, smoothing)
        return Outcome(losses, tf.ones_like(losses), tf.equal(tf.argmax(logits, -1), label))

    def wanted(self, batch: f.Features) -> NDArray[np.float64]:
        """Returns the targets of a batch as 0 and 1, [batch, classes]."""
        return np.asarray(np.eye(len(self.classes))[np.asarray(batch[f.LABEL])])

    def servable(self, model: keras.Model, job: TrainingJob) -> tuple[ClassifierServable, Mapping[str, Any]]:
        """Returns the model to publish."""
        joint, details = self.join(model, job)
        return ClassifierServable(joint, job.graph, self.classes), details


class Classifier(Supervised[ClassifierSettings]):
    """The classifier of documents with one label or any number of labels."""

    name = "classifier"
    settings = ClassifierSettings
    build = staticmethod(model.build)

    def plan(self, settings: ClassifierSettings) -> PacePlan:
        """Returns the plan for an encoder that has n-grams beside it, or is alone or starts with known words."""
        beside = settings.ngrams is not None and settings.embedding.source is None
        return BESIDE_NGRAMS if beside else OF_DOCUMENTS

    def head(self, job: TrainingJob, settings: ClassifierSettings) -> Head[ClassifierSettings]:
        """Returns the head for the kind of the corpus."""
        head = MultiLabel if job.kind.multi_label else SingleLabel
        return head(settings, job.classes)


CLASSIFIER = Classifier()
