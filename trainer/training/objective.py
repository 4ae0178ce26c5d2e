"""What a model is trained for: what it reads, how its logits are judged, and what it carries from step to step."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

import keras
import tensorflow as tf

from trainer.data import features as f
from trainer.data import tfrecords
from trainer.data.reading import read
from trainer.training.settings import TrainingSettings

WEIGHTS = {f.WEIGHT: tf.TensorSpec([None], tf.float32)}
"""What documents count in the loss of training, where they have weights."""

Counted = Literal["documents", "tokens"]
"""What an epoch reads exactly once each."""

S = TypeVar("S", bound=TrainingSettings)

State = Any
"""A nest of tensors that is carried from step to step."""


class Outcome(NamedTuple):
    """Each target of a batch, all of one shape: [batch], or [batch, time] for targets at steps.

    Attributes:
        losses: Its loss in nats, float.
        weights: What it counts, float: 0 where there is no target, as at padded steps.
        correct: Whether the likeliest answer is right, bool.
    """

    losses: tf.Tensor
    weights: tf.Tensor
    correct: tf.Tensor


class Objective(abc.ABC, Generic[S]):
    """What the training loop knows of a task. The defaults are those of a model of whole documents without a state.

    Attributes:
        inputs: The features that the model is called with, in this order.
        targets: The features that its logits are judged by; class weights belong to the first.
        counted: What an epoch reads exactly once each; progress and the learning rate follow it.
    """

    inputs: ClassVar[Mapping[str, tf.TensorSpec]] = {
        f.TOKENS: tf.TensorSpec([None, None], tf.int64),
        f.LENGTH: tf.TensorSpec([None], tf.int64),
    }
    targets: ClassVar[Mapping[str, tf.TensorSpec]]
    counted: ClassVar[Counted] = "documents"

    def __init__(self, settings: S) -> None:
        """Keeps how the model is trained."""
        self.settings = settings

    @property
    def target(self) -> str:
        """The first of the targets."""
        return next(iter(self.targets))

    @abc.abstractmethod
    def judge(self, batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
        """Judges logits by the targets.

        Args:
            batch: The inputs and targets.
            logits: What `call` returns for them, float32.
            smoothing: The share of each target that all classes get alike.
        """

    def batches(
        self, files: Sequence[str], *, seed: int | None = None, epoch: int = 0, position: Sequence[int] | None = None
    ) -> tf.data.Dataset:
        """Reads one pass over a split, by `read` or `pack` of `trainer.data`.

        Args:
            files: TFRecord files of the split.
            seed: Seed of the order; None keeps the order of the files.
            epoch: Number of the pass from 0.
            position: Where to resume; None: at the start.
        """
        return read(
            files,
            batch_tokens=self.settings.batch_tokens,
            batch_documents=self.settings.batch_documents,
            window=self.settings.window,
            seed=seed,
            epoch=epoch,
            position=position,
        )

    def total(self, files: Sequence[str]) -> int:
        """Counts what one pass over a split reads, in units of `counted`."""
        return tfrecords.count(files)

    def initial_state(self) -> State:
        """Returns the state before the first step of a pass; nothing where the model carries none."""
        return ()

    def call(self, model: keras.Model, batch: f.Features, state: State, *, training: bool) -> tuple[tf.Tensor, State]:
        """Returns the logits of a batch, float, and the state after it.

        Args:
            model: The model.
            batch: The inputs.
            state: The state after the batch before, as `initial_state` returns it.
            training: Whether dropout is on.
        """
        return model([batch[name] for name in self.inputs], training=training), state
