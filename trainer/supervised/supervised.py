"""Trains a task that maps the tokens of a document to logits."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.data import tfrecords
from trainer.data.features import vocabulary_size
from trainer.data.reading import read
from trainer.jobs.job import TrainingJob
from trainer.recurrent import fused
from trainer.recurrent.settings import SequenceSettings
from trainer.supervised import class_weights, samples, sanity
from trainer.training import precision, strategies, training_report
from trainer.training.checkpoint import Checkpoints, TrainingState
from trainer.training.loop import Loop
from trainer.training.monitor import Monitor, Samples
from trainer.training.objective import WEIGHTS, Objective
from trainer.vectors import embedding

logger = logging.getLogger("seqloom.trainer")


S = TypeVar("S", bound=SequenceSettings)


Counts = Callable[[S, tf.data.Dataset, int], Mapping[str, Any]]
"""From settings, the train split and the number of classes to more that the model is built with."""

Describe = Callable[[f.Features, tf.Tensor, str, Sequence[str], Sequence[str]], str]


class Servable(Protocol):
    """A model as it is saved."""

    def save(self, directory: str, transform_settings: str = "") -> None:
        """Writes the SavedModel."""


class Trained(NamedTuple):
    """What a training gives.

    Attributes:
        model: The model, with the weights of the best epoch.
        labels: The class names.
        state: How the training ended.
        resumed: Epochs that were done before it went on; 0 for one that began anew.
        details: What else `training.json` tells.
        chief: Whether this worker writes what comes of it.
    """

    model: keras.Model
    labels: list[str]
    state: TrainingState
    resumed: int
    details: dict[str, Any]
    chief: bool


@dataclasses.dataclass(frozen=True)
class Supervised(Generic[S]):
    """A task with targets; called with a job, it trains and writes the SavedModel.

    Attributes:
        settings: What the trainer section of the configuration is read as.
        targets: The features that the model is trained to predict, beside `tokens` and `length`.
        build: From settings, vocabulary size, number of classes, `vectors`, what the word vectors start with, and what
            `counts` gives, to a model from `tokens` and `length` to logits.
        objective: Judges the logits by the targets.
        servable: From the model, the transform graph's directory and the class names to what is saved.
        counts: Counts in the train split what the model is made from; None: nothing is.
        describe: From a batch, its logits, the target's name, the words and the class names to text; None: TensorBoard
            shows no documents.
        classes: The file of the class names beside the transform graph.
    """

    settings: type[S]
    targets: Mapping[str, tf.TensorSpec]
    build: Callable[..., keras.Model]
    objective: Objective
    servable: Callable[[keras.Model, str, list[str]], Servable]
    counts: Counts[S] | None = None
    describe: Describe | None = samples.describe
    classes: str = "labels.txt"

    def __call__(self, job: TrainingJob) -> None:
        """Trains from the last checkpoint on, and writes the SavedModel and `training.json`."""
        trained = self.train(job)
        if not trained.chief:
            return
        self.served(job, trained).save(job.model_directory, job.text("settings.json"))
        training_report.write_report(job.log_directory, trained.state, trained.resumed, trained.details)

    def served(self, job: TrainingJob, trained: Trained) -> Servable:
        """Joins what is saved; what it finds out for that is added to the details."""
        return self.servable(trained.model, job.graph, trained.labels)

    def class_names(self, job: TrainingJob) -> list[str]:
        """The class names in the order of their ids."""
        return job.text(self.classes).splitlines()

    def train(self, job: TrainingJob) -> Trained:
        """Trains from the last checkpoint on."""
        settings = self.settings.model_validate_json(job.settings)
        # Before anything is computed: workers find each other first.
        strategy = strategies.make(settings.strategy)
        findings = self.check(job) if settings.sanity else None
        for obstacle in fused.obstacles(settings):
            logger.warning("On a GPU the fused cuDNN kernel is ruled out by %s.", obstacle)
        keras.utils.set_random_seed(settings.seed)
        labels = self.class_names(job)
        batches = _Batches(settings, job)
        start = self._start(settings, job, batches, len(labels))
        weights = class_weights.resolve(settings, labels, lambda: batches.counts(next(iter(self.targets)), len(labels)))
        with strategy.scope(), precision.policy(settings):
            model = start.build()
            targets = {**self.targets, **(WEIGHTS if tfrecords.weighted(job.train_files) else {})}
            loop = Loop(model, self.objective, settings, targets, weights)
        chief = strategies.is_chief(settings.strategy)
        checkpoints = Checkpoints(job.checkpoints, model.variables, loop.optimizer.variables, writes=chief)
        resumed = checkpoints.restore().epoch
        shown = tf.summary.create_file_writer(job.log_directory) if chief else tf.summary.create_noop_writer()
        with shown.as_default():
            state = loop.run(
                train=batches.train,
                evaluate=batches.evaluate(),
                documents=tfrecords.count(job.train_files),
                checkpoints=checkpoints,
                on_epoch=training_report.write_scalars,
                monitor=Monitor(model, self._samples(settings, job, loop, batches, labels)),
            )
        if chief and (settings.strategy != "one_device" or settings.precision != "float32"):
            model = _copy(model, start.build())
        details: dict[str, Any] = {"parameters": model.count_params(), "embedding": start.coverage}
        if findings is not None:
            details["sanity"] = dataclasses.asdict(findings)
        return Trained(model, labels, state, resumed, details, chief)

    def check(self, job: TrainingJob) -> sanity.Findings:
        """Checks that a model, made as for training, can learn the job's examples; writes nothing.

        Raises:
            JobError: If it cannot.
        """
        settings = self.settings.model_validate_json(job.settings)
        keras.utils.set_random_seed(settings.seed)
        classes = len(self.class_names(job))
        start = self._start(settings, job, _Batches(settings, job), classes)
        model = start.build()
        documents = min(settings.batch_documents, sanity.BATCH_DOCUMENTS)
        batches = read(
            job.train_files, batch_tokens=settings.batch_tokens, batch_documents=documents, seed=settings.seed
        )
        examples = list(batches.take(sanity.BATCHES))
        findings = sanity.check(model, self.objective, self.targets, examples, informed=start.informed)
        # A model that is made later has the names of layers that it would have without this one.
        keras.backend.clear_session()
        return findings

    def _start(self, settings: S, job: TrainingJob, batches: _Batches, classes: int) -> _Start:
        """Reads and counts what models start from."""
        imported = embedding.read(settings.embedding, job.transform_graph, settings.seed)
        counted = {} if self.counts is None else self.counts(settings, batches.train_split(), classes)
        vectors, coverage = (None, None) if imported is None else (imported.vectors, imported.coverage)
        size = vocabulary_size(job.transform_graph)
        build = functools.partial(self.build, settings, size, classes, vectors=vectors, **counted)
        return _Start(build, coverage, bool(counted))

    def _samples(
        self, settings: S, job: TrainingJob, loop: Loop, batches: _Batches, labels: list[str]
    ) -> Samples | None:
        """Shows the first documents of the eval split."""
        if not settings.samples or self.describe is None:
            return None
        describe, target = self.describe, next(iter(self.targets))
        first = next(iter(batches.evaluate()))
        batch = {name: first[name][: settings.samples] for name in (f.TOKENS, f.LENGTH, target)}
        words = job.text("vocabulary.txt").split("\n")[:-1]
        return lambda: describe(batch, loop.logits(batch), target, words, labels)


class _Start(NamedTuple):
    """What models of a training start from.

    Attributes:
        build: Makes one.
        coverage: How imported word vectors cover the vocabulary; None: there are none.
        informed: Whether they know something of the targets before training.
    """

    build: Callable[[], keras.Model]
    coverage: dict[str, str | int | float] | None
    informed: bool


class _Batches:
    """Reads the splits of a job in batches.

    Args:
        settings: How large the batches are.
        job: What is read.
    """

    def __init__(self, settings: SequenceSettings, job: TrainingJob) -> None:
        self._settings, self._job = settings, job

    def train(self, epoch: int, position: Sequence[int] | None) -> tf.data.Dataset:
        """Reads an epoch, by its number from 0, from a position on."""
        return self._read(self._job.train_files, seed=self._settings.seed, epoch=epoch, position=position)

    def evaluate(self) -> tf.data.Dataset:
        """Reads the eval split."""
        return self._read(self._job.eval_files)

    def counts(self, target: str, classes: int) -> NDArray[np.int64]:
        """Counts the targets of each class in the train split, int64 [classes]."""
        return class_weights.count(self.train_split(), target, classes)

    def train_split(self) -> tf.data.Dataset:
        """Reads the train split in the order of its files."""
        return self._read(self._job.train_files)

    def _read(self, files: list[str], **more: Any) -> tf.data.Dataset:
        budget = {name: getattr(self._settings, name) for name in ("batch_tokens", "batch_documents", "window")}
        return read(files, **budget, **more)


def _copy(trained: keras.Model, plain: keras.Model) -> keras.Model:
    """Puts the weights into a model of one device that computes in float32, as it is served on any machine."""
    for variable, found in zip(plain.variables, trained.variables, strict=True):
        variable.assign(found.value.numpy())
    return plain
