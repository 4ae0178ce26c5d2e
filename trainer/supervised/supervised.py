"""Trains a task that maps the tokens of a document to logits."""

from __future__ import annotations

import abc
import dataclasses
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import keras
import tensorflow as tf

from trainer.data import tfrecords
from trainer.data.features import vocabulary_size
from trainer.jobs import kept_weights, warm_start
from trainer.jobs.kept_weights import WeightArray, Weights
from trainer.jobs.learnable_task import LearnableTask, Trained
from trainer.jobs.training_job import TrainingJob
from trainer.recurrent import fused
from trainer.recurrent.settings import SequenceSettings
from trainer.supervised import class_weights
from trainer.supervised.head import Head
from trainer.training import precision, sanity, strategies, training_report
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop
from trainer.training.monitor import Monitor, Samples
from trainer.training.pace import LARGEST_BATCH, PacePlan, chosen, paced
from trainer.training.settings import AUTO, given
from trainer.vectors import embedding

logger = logging.getLogger("seqloom.trainer")

_LONG = (
    "The longest document has %s tokens, more than trainer.batch_tokens = %s: it is a batch of its own, and a step on"
    " it takes long. To train faster, %s."
)

_ROWS: Mapping[str, Mapping[str, Any]] = {
    "embedding": {"rows": "words"},
    "bigrams": {"ids": True},
    "logits": {"rows": "classes", "axis": -1},
}
"""What the rows of the weights of a layer stand for, by its name."""

S = TypeVar("S", bound=SequenceSettings)


def warn_of_long_documents(job: TrainingJob, settings: SequenceSettings) -> None:
    """Names the longest document if it exceeds the budget of a batch, before its steps take minutes."""
    batch_tokens = LARGEST_BATCH if settings.batch_tokens == AUTO else settings.batch_tokens
    if job.longest > batch_tokens:
        # Tokens with tags cannot be truncated.
        fix = "split it into sentences" if job.kind.tokenized else "set transform.truncate"
        logger.warning(_LONG, f"{job.longest:,}", f"{batch_tokens:,}", fix)


class Supervised(LearnableTask[S], Generic[S]):
    """A task with targets: a model and the head for the kind of its corpus.

    Attributes:
        build: Builds a model from the head's inputs to logits, from the trainer section, the size of the vocabulary
            with reserved ids, the number of classes, and `vectors`, the initial word vectors, float32 [vocabulary,
            width], random if None.
    """

    build: ClassVar[Callable[..., keras.Model]]

    @abc.abstractmethod
    def head(self, job: TrainingJob, settings: S) -> Head[S]:
        """Returns the head of a job's model."""

    def run(self, job: TrainingJob, settings: S) -> None:
        """Trains from the last checkpoint, and writes the SavedModel, TensorBoard's events and `training.json`."""
        trained = self.train(job, settings)
        if not self.is_chief(settings):
            return
        head = self.head(job, paced(settings, job.size(), self.plan(settings)))
        kept_weights.write(job.weights, self._weights(trained.model, job, settings, head.classes))
        servable, details = head.servable(trained.model, job)
        servable.save(job.model_directory)
        self.sign(job, servable.digest(job.model_directory, job.text("settings.json")))
        training_report.write_report(job.log_directory, trained.state, trained.resumed, {**trained.details, **details})

    def train(self, job: TrainingJob, settings: S) -> Trained:
        """Trains from the last checkpoint."""
        # Workers must connect before TensorFlow computes anything.
        strategy = strategies.make(settings.strategy)
        warn_of_long_documents(job, settings)
        given_settings = settings
        automatic = _choose_pace(settings, job, self.plan(settings))
        settings = settings.model_copy(update=automatic)
        head = self.head(job, settings)
        head.check()
        checked = {"sanity": dataclasses.asdict(self.check(job, settings))} if settings.sanity else {}
        for obstacle in fused.obstacles(settings):
            logger.warning("The fused cuDNN kernel of GPUs cannot be used: %s.", obstacle)
        keras.utils.set_random_seed(settings.seed)
        start = self._start(head, job)
        of_classes = class_weights.resolve(
            settings,
            head.classes,
            lambda: class_weights.count(head.batches(job.train_files), head.target, len(head.classes)),
        )
        with strategy.scope(), precision.policy(settings):
            model = start.build()
            weights = self._weights(model, job, given_settings, head.classes)
            warm = warm_start.start(weights, job.base) if settings.warm_start else {}
            loop = Loop(model, head, of_classes, weighted=tfrecords.weighted(job.train_files))
        chief, read = self.is_chief(settings), functools.partial(head.batches, job.train_files, seed=settings.seed)
        checkpoints = Checkpoints(job.checkpoints, model.variables, loop.variables, writes=chief)
        resumed = checkpoints.restore().epoch
        writer = tf.summary.create_file_writer(job.log_directory) if chief else tf.summary.create_noop_writer()
        with writer.as_default():
            state = loop.run(
                train=lambda epoch, position: read(epoch=epoch, position=position),
                evaluate=head.batches(job.eval_files),
                total=head.total(job.train_files),
                checkpoints=checkpoints,
                on_epoch=training_report.write_scalars,
                monitor=Monitor(model, _samples(head, job, loop)),
            )
        if chief and (settings.strategy != "one_device" or settings.precision != "float32"):
            # A model of one device that computes in float32, which any machine can serve.
            trained, model = model, start.build()
            for variable, found in zip(model.variables, trained.variables, strict=True):
                variable.assign(found.value.numpy())
        pace = {"automatic": automatic, **job.size()._asdict()}
        details = {"parameters": model.count_params(), "embedding": start.coverage, "pace": pace, **checked, **warm}
        return Trained(model, state, resumed, details)

    def check(self, job: TrainingJob, settings: S) -> sanity.Findings:
        """Checks that a model, built as for training, can learn the job's examples; writes nothing."""
        keras.utils.set_random_seed(settings.seed)
        settings = paced(settings, job.size(), self.plan(settings))
        documents = min(given(settings.batch_documents), sanity.BATCH_DOCUMENTS)
        head = self.head(job, settings.model_copy(update={"batch_documents": documents}))
        start = self._start(head, job)
        model = start.build()
        examples = list(head.batches(job.train_files, seed=settings.seed).take(sanity.BATCHES))
        findings = sanity.check(model, head, examples)
        # Layers of later models get the same names as without this model.
        keras.backend.clear_session()
        return findings

    def _weights(self, model: keras.Model, job: TrainingJob, settings: S, classes: Sequence[str]) -> Weights:
        """Describes the weights of a model, for a warm start."""
        variables = [(layer.name, variable) for layer in model.layers for variable in layer.weights]
        parts = [
            WeightArray(variable.path, tuple(variable.shape), **_ROWS.get(layer, {})) for layer, variable in variables
        ]
        labels = {"words": job.ids, "classes": classes}
        return Weights(self.name, settings.model_dump(mode="json"), labels, parts, [one for _, one in variables])

    def _start(self, head: Head[S], job: TrainingJob) -> _Start:
        """Reads word vectors."""
        settings = head.settings
        imported = embedding.read(settings.embedding, job.transform_graph, settings.seed)
        vectors, coverage = (None, None) if imported is None else (imported.vectors, imported.coverage)
        size = vocabulary_size(job.transform_graph)
        build = functools.partial(self.build, settings, size, len(head.classes), vectors=vectors)
        return _Start(build, coverage)


def _choose_pace(settings: SequenceSettings, job: TrainingJob, plan: PacePlan) -> Mapping[str, float]:
    """Returns the numbers that replace `auto`, by key, and logs them."""
    automatic = chosen(settings, job.size(), plan)
    if automatic:
        numbers = ", ".join(f"{key} {value:,g}" for key, value in automatic.items())
        logger.info("For %s documents of %s tokens: %s.", *(f"{size:,}" for size in job.size()), numbers)
    return automatic


class _Start(NamedTuple):
    """The initial state of the models of a training run.

    Attributes:
        build: Builds an untrained model.
        coverage: How imported word vectors cover the vocabulary; None without imported vectors.
    """

    build: Callable[[], keras.Model]
    coverage: dict[str, str | int | float] | None


def _samples(head: Head[S], job: TrainingJob, loop: Loop) -> Samples | None:
    """Formats the first documents of the eval split."""
    number = head.settings.samples
    if not number:
        return None
    first = next(iter(head.batches(job.eval_files)))
    shown = {name: first[name][:number] for name in (*head.inputs, *head.targets)}
    words = job.text("vocabulary.txt").split("\n")[:-1]
    return lambda: head.describe(shown, loop.step.logits(first, number), words)
