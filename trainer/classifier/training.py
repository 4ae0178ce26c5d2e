"""Trains the document classifier."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.classifier import model
from trainer.classifier.multi_label import MultiLabel
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.single_label import SingleLabel
from trainer.jobs.job import TrainingJob
from trainer.supervised.head import Head
from trainer.supervised.supervised import Supervised


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
