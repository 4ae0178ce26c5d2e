"""The interface of a task's training, which the Trainer, the Tuner and LearningCheck load by dotted path."""

from __future__ import annotations

import abc
import json
import posixpath
from typing import Generic, TypeVar

import tensorflow as tf

from trainer.jobs.saved_model import ABOUT
from trainer.jobs.training_job import TrainingJob
from trainer.settings import Settings

S = TypeVar("S", bound=Settings)


class TrainingTask(abc.ABC, Generic[S]):
    """The training of a task's models.

    Attributes:
        name: The task, as the configuration and the published model name it.
        settings: The model of the trainer section.
    """

    name: str
    settings: type[S]

    @abc.abstractmethod
    def run(self, job: TrainingJob, settings: S) -> None:
        """Trains from the last checkpoint, and writes the SavedModel, TensorBoard's events and `training.json`."""

    def is_chief(self, settings: S) -> bool:
        """Returns whether this process writes the results; of several workers one does."""
        del settings
        return True

    def sign(self, job: TrainingJob, digest: str) -> None:
        """Writes the task, the kind of corpus and the digest of a job's SavedModel to its file `ABOUT`."""
        path = f"{job.model_directory}/{ABOUT}"
        tf.io.gfile.makedirs(posixpath.dirname(path))
        with tf.io.gfile.GFile(path, "w") as file:
            file.write(json.dumps({"task": self.name, "kind": job.kind.name, "digest": digest}))
