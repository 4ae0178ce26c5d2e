"""The interface between the training loop and a task: inputs, targets, loss and carried state."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

import keras
import tensorflow as tf

from trainer.data import features as f
from trainer.data import tfrecords
from trainer.data.reading import read
from trainer.training.settings import TrainingSettings, given

WEIGHTS = {f.WEIGHT: tf.TensorSpec([None], tf.float32)}
"""The weight of each document in the training loss, if documents have weights."""

Counted = Literal["documents", "tokens"]
"""The unit that an epoch reads exactly once each."""

S = TypeVar("S", bound=TrainingSettings)

State = Any
"""A nest of tensors that is carried from step to step."""


class Outcome(NamedTuple):
    """The targets of a batch, each field of one shape: [batch], or [batch, time] for targets at steps.

    Attributes:
        losses: Its loss in nats, float.
        weights: Its weight, float; 0 without a target, e.g. at padded steps.
        correct: Whether the most probable answer is right, bool.
    """

    losses: tf.Tensor
    weights: tf.Tensor
    correct: tf.Tensor


class Objective(abc.ABC, Generic[S]):
    """A task as the training loop sees it. The defaults suit models of whole documents without a state.

    Attributes:
        inputs: The features that the model is called with, in this order.
        targets: The features that the loss compares logits with; class weights belong to the first.
        counted: The unit that an epoch reads exactly once each; progress and the learning rate follow it.
    """

    inputs: ClassVar[Mapping[str, tf.TensorSpec]] = {
        f.TOKENS: tf.TensorSpec([None, None], tf.int64),
        f.LENGTH: tf.TensorSpec([None], tf.int64),
    }
    targets: ClassVar[Mapping[str, tf.TensorSpec]]
    counted: ClassVar[Counted] = "documents"

    def __init__(self, settings: S) -> None:
        """Sets the training settings."""
        self.settings = settings

    @property
    def target(self) -> str:
        """The first of the targets."""
        return next(iter(self.targets))

    @abc.abstractmethod
    def judge(self, batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
        """Compares logits, float32, with the targets; `smoothing` is the share spread evenly over all classes."""

    def batches(
        self, files: Sequence[str], *, seed: int | None = None, epoch: int = 0, position: Sequence[int] | None = None
    ) -> tf.data.Dataset:
        """Reads one pass over a split, by `read` or `pack` of `trainer.data`.

        Args:
            files: TFRecord files of the split.
            seed: Seed of the order; None keeps the order of the files.
            epoch: Number of the pass from 0.
            position: The position to resume from; None: the start.
        """
        return read(
            files,
            batch_tokens=given(self.settings.batch_tokens),
            batch_documents=given(self.settings.batch_documents),
            window=self.settings.window,
            seed=seed,
            epoch=epoch,
            position=position,
        )

    def total(self, files: Sequence[str]) -> int:
        """Counts the units of one pass over a split, as named by `counted`."""
        return tfrecords.count(files)

    def initial_state(self) -> State:
        """Returns the state before the first step of a pass; empty for models without a state."""
        return ()

    def call(self, model: keras.Model, batch: f.Features, state: State, *, training: bool) -> tuple[tf.Tensor, State]:
        """Returns the logits of a batch, float, and the state after it, in the structure of `initial_state`."""
        return model([batch[name] for name in self.inputs], training=training), state
