"""The interface of a training that LearningCheck checks and the Tuner repeats, for every task that learns."""

from __future__ import annotations

import abc
from typing import Any, Generic, NamedTuple, TypeVar

import keras

from trainer.jobs import workers
from trainer.jobs.training_job import TrainingJob
from trainer.jobs.training_task import TrainingTask
from trainer.training.checkpoint import TrainingState
from trainer.training.pace import OF_DOCUMENTS, PacePlan
from trainer.training.sanity import Findings
from trainer.training.settings import TrainingSettings

S = TypeVar("S", bound=TrainingSettings)


class Trained(NamedTuple):
    """The result of a training run.

    Attributes:
        model: The model, with the weights of the best epoch.
        state: The state at the end.
        resumed: Epochs finished before training resumed; 0 if it started from the beginning.
        details: Further entries of `training.json`.
    """

    model: keras.Model
    state: TrainingState
    resumed: int
    details: dict[str, Any]


class LearnableTask(TrainingTask[S], Generic[S]):
    """The training of a task whose `learns` is true."""

    def plan(self, settings: S) -> PacePlan:
        """Returns what the numbers that replace `auto` in settings aim at."""
        del settings
        return OF_DOCUMENTS

    def is_chief(self, settings: S) -> bool:
        """Returns whether this process writes the results; of several workers one does."""
        return workers.is_chief(settings.strategy)

    @abc.abstractmethod
    def check(self, job: TrainingJob, settings: S) -> Findings:
        """Checks that a model, built as for training, can learn the job's examples; writes nothing.

        Raises:
            JobError: If it cannot.
        """

    @abc.abstractmethod
    def train(self, job: TrainingJob, settings: S) -> Trained:
        """Trains from the last checkpoint; writes checkpoints and TensorBoard's events only."""
