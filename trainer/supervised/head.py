"""What the logits of a task with targets are for: their objective, the names of the classes, and what is published."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import keras
import tensorflow as tf

from trainer.data import features as f
from trainer.jobs.job import TrainingJob
from trainer.recurrent.settings import SequenceSettings
from trainer.supervised import samples
from trainer.supervised.model_servable import ModelServable
from trainer.training.objective import Objective

S = TypeVar("S", bound=SequenceSettings)


class Head(Objective[S], Generic[S]):
    """The last part of a model, from its logits to what is published."""

    def __init__(self, settings: S, classes: Sequence[str]) -> None:
        """Keeps what the head is made of.

        Args:
            settings: The trainer section of the configuration.
            classes: The class names in the order of their ids.
        """
        super().__init__(settings)
        self.classes = list(classes)

    def check(self) -> None:
        """Checks the settings against the class names before training.

        Raises:
            JobError: If the settings name an unknown class.
        """

    def counts(self, train: tf.data.Dataset) -> Mapping[str, Any]:  # noqa: ARG002 - of heads that count
        """Counts in the batches of the train split what the model starts from, by argument of `Supervised.build`."""
        return {}

    def describe(self, batch: f.Features, logits: tf.Tensor, words: Sequence[str]) -> str:
        """Writes documents with their predictions and true classes as Markdown.

        Args:
            batch: The inputs and the target.
            logits: Those of the model, float32.
            words: The word of each id.
        """
        return samples.describe(batch, logits, self.target, words, self.classes)

    @abc.abstractmethod
    def servable(self, model: keras.Model, job: TrainingJob) -> tuple[ModelServable, Mapping[str, Any]]:
        """Returns what is published of a trained model, and what `training.json` says about it."""
