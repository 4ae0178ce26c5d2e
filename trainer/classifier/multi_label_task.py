"""The task of a classifier whose documents have any number of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier import thresholds
from trainer.classifier.multi_label import multi_hot
from trainer.classifier.multi_label_servable import MultiLabelServable
from trainer.classifier.settings import ClassifierSettings
from trainer.data import features as f
from trainer.data.reading import read
from trainer.jobs.job import TrainingJob
from trainer.supervised.supervised import Supervised, Trained


class MultiLabelClassifier(Supervised[ClassifierSettings]):
    """A task with targets, whose model is saved with the threshold of each class."""

    def train(self, job: TrainingJob) -> Trained:
        """Trains from the last checkpoint on.

        Raises:
            JobError: If thresholds names an unknown class.
        """
        thresholds.given(self.settings.model_validate_json(job.settings).thresholds, self.class_names(job))
        return super().train(job)

    def served(self, job: TrainingJob, trained: Trained) -> MultiLabelServable:
        """Joins what is saved; thresholds that are to be tuned are, on the eval split."""
        settings = self.settings.model_validate_json(job.settings)
        chosen = thresholds.given(settings.thresholds, trained.labels)
        if chosen is None:
            chosen = thresholds.tuned(*_answers(trained.model, job, settings, len(trained.labels)))
        trained.details["thresholds"] = dict(zip(trained.labels, chosen.tolist(), strict=True))
        return MultiLabelServable(trained.model, job.graph, trained.labels, chosen)


def _answers(
    model: Any, job: TrainingJob, settings: ClassifierSettings, classes: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Probabilities and labels of the eval split, [documents, classes] each."""

    @tf.function(reduce_retracing=True)
    def answer(batch: f.Features) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns float32 and bool [batch, classes]."""
        logits = model([batch[f.TOKENS], batch[f.LENGTH]], training=False)
        return tf.sigmoid(logits), multi_hot(batch[f.LABELS], classes)

    batches = read(job.eval_files, batch_tokens=settings.batch_tokens, batch_documents=settings.batch_documents)
    numbers = ({name: batch[name] for name in (f.TOKENS, f.LENGTH, f.LABELS)} for batch in batches)
    found = [[part.numpy() for part in answer(batch)] for batch in numbers]
    probabilities, wanted = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return probabilities, wanted
