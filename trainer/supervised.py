"""Trains a task that maps the tokens of a document to logits."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer import embedding, records, report
from trainer.features import vocabulary_size
from trainer.input import read
from trainer.job import Job
from trainer.recurrent import fused
from trainer.recurrent.settings import SequenceSettings
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop
from trainer.training.objective import Objective

logger = logging.getLogger("seqloom.trainer")


S = TypeVar("S", bound=SequenceSettings)


class Servable(Protocol):
    """A model as it is saved."""

    def save(self, directory: str, transform_settings: str = "") -> None:
        """Writes the SavedModel."""


@dataclasses.dataclass(frozen=True)
class Supervised(Generic[S]):
    """A task with targets; called with a job, it trains and writes the SavedModel.

    Attributes:
        settings: What the trainer section of the configuration is read as.
        targets: The features that the model is trained to predict, beside `tokens` and `length`.
        build: From settings, vocabulary size, number of classes and what the word vectors start with to a
            model from `tokens` and `length` to logits.
        objective: Judges the logits by the targets.
        servable: From the model, the transform graph's directory and the class names to what is saved.
    """

    settings: type[S]
    targets: Mapping[str, tf.TensorSpec]
    build: Callable[[S, int, int, NDArray[np.float32] | None], keras.Model]
    objective: Objective
    servable: Callable[[keras.Model, str, list[str]], Servable]

    def __call__(self, job: Job) -> None:
        """Trains from the last checkpoint on."""
        settings = self.settings.model_validate_json(job.settings)
        for obstacle in fused.obstacles(settings):
            logger.warning("On a GPU the fused cuDNN kernel is ruled out by %s.", obstacle)
        keras.utils.set_random_seed(settings.seed)
        labels = job.text("labels.txt").splitlines()
        start = embedding.read(settings.embedding, job.transform_graph, settings.seed)
        size = vocabulary_size(job.transform_graph)
        model = self.build(settings, size, len(labels), None if start is None else start.vectors)
        loop = Loop(model, self.objective, settings, self.targets)
        checkpoints = Checkpoints(job.checkpoints, model.variables, loop.optimizer.variables)

        def batches(files: list[str], seed: int | None = None, epoch: int = 0) -> tf.data.Dataset:
            budget = {name: getattr(settings, name) for name in ("batch_tokens", "batch_documents", "window")}
            return read(files, **budget, seed=seed, epoch=epoch)

        resumed = checkpoints.restore().epoch
        with tf.summary.create_file_writer(job.log_directory).as_default():
            state = loop.run(
                train=lambda epoch: batches(job.train_files, settings.seed, epoch),
                evaluate=batches(job.eval_files),
                documents=records.count(job.train_files),
                checkpoints=checkpoints,
                on_epoch=report.write_scalars,
            )
        self.servable(model, job.graph, labels).save(job.model_directory, job.text("settings.json"))
        more = {"parameters": model.count_params(), "embedding": None if start is None else start.coverage}
        report.write_report(job.log_directory, state, resumed, more)
