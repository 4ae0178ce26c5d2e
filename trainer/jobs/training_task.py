"""What a task trains: the object at the dotted path that the Trainer, the Tuner and LearningCheck get."""

from __future__ import annotations

import abc
import json
from typing import Generic, TypeVar

import tensorflow as tf

from trainer.jobs.job import TrainingJob
from trainer.settings import Settings

S = TypeVar("S", bound=Settings)


class TrainingTask(abc.ABC, Generic[S]):
    """A training and what it publishes.

    Attributes:
        name: The task, as the configuration and the published model name it.
        settings: What the trainer section of the configuration is read as.
    """

    name: str
    settings: type[S]

    @abc.abstractmethod
    def run(self, job: TrainingJob, settings: S) -> None:
        """Trains from the last checkpoint, and writes the SavedModel, TensorBoard's events and `training.json`."""

    def sign(self, directory: str, digest: str) -> None:
        """Writes which task made a SavedModel to its `assets.extra/seqloom.json`.

        Args:
            directory: The SavedModel's.
            digest: Digest of all that decides its answers except the code.
        """
        tf.io.gfile.makedirs(f"{directory}/assets.extra")
        with tf.io.gfile.GFile(f"{directory}/assets.extra/seqloom.json", "w") as file:
            file.write(json.dumps({"task": self.name, "digest": digest}))
