"""Trains a task that maps the tokens of a document to logits."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer import embedding, fused, records, report
from trainer.checkpoint import Checkpoints
from trainer.export import Servable
from trainer.features import vocabulary_size
from trainer.input import read
from trainer.job import Job
from trainer.loop import Loop, Loss
from trainer.settings import TrainerSettings

logger = logging.getLogger("seqloom.trainer")


@dataclasses.dataclass(frozen=True)
class Supervised:
    """A task with labels; called with a job, it trains and writes the SavedModel.

    Attributes:
        build: From settings, vocabulary size, number of classes and what the word vectors start with to a
            model from `tokens` and `length` to logits.
        loss: From labels and logits to the loss of each document.
        servable: From the model, the transform graph's directory and the class names to what is saved.
    """

    build: Callable[[TrainerSettings, int, int, NDArray[np.float32] | None], keras.Model]
    loss: Loss
    servable: Callable[[keras.Model, str, list[str]], Servable]

    def __call__(self, job: Job) -> None:
        """Trains from the last checkpoint on."""
        settings = TrainerSettings.model_validate_json(job.settings)
        for obstacle in fused.obstacles(settings):
            logger.warning("On a GPU the fused cuDNN kernel is ruled out by %s.", obstacle)
        keras.utils.set_random_seed(settings.seed)
        labels = job.text("labels.txt").splitlines()
        start = embedding.read(settings, job.transform_graph)
        size = vocabulary_size(job.transform_graph)
        model = self.build(settings, size, len(labels), None if start is None else start.vectors)
        loop = Loop(model, self.loss, settings)
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
