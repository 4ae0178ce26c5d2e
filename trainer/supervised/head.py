"""The head of a task with targets: its objective, the names of its classes, and the model to publish."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import keras
import tensorflow as tf

from trainer.data import features as f
from trainer.jobs.training_job import TrainingJob
from trainer.recurrent.settings import SequenceSettings
from trainer.supervised import samples
from trainer.supervised.model_servable import ModelServable
from trainer.training.objective import Objective

S = TypeVar("S", bound=SequenceSettings)


class Head(Objective[S], Generic[S]):
    """The last part of a model, from its logits to the published signatures."""

    def __init__(self, settings: S, classes: Sequence[str]) -> None:
        """Sets the trainer section and the class names in the order of their ids."""
        super().__init__(settings)
        self.classes = list(classes)

    def check(self) -> None:
        """Checks the settings against the class names before training.

        Raises:
            JobError: If the settings name an unknown class.
        """

    def describe(self, batch: f.Features, logits: tf.Tensor, words: Sequence[str]) -> str:
        """Formats a batch with its predictions, from float32 logits, and true classes as Markdown; see `samples`."""
        return samples.describe(batch, logits, self.target, words, self.classes)

    @abc.abstractmethod
    def servable(self, model: keras.Model, job: TrainingJob) -> tuple[ModelServable, Mapping[str, Any]]:
        """Returns the servable of a trained model, and its entries in `training.json`."""
