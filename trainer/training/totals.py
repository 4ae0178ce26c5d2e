"""Sums over steps, kept on the device so that the host need not wait for each step."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from trainer.training.objective import Outcome


class Sums(NamedTuple):
    """Sums over the targets of a batch, float [] each.

    Attributes:
        loss: The weighted losses.
        weight: The weights.
        correct: The right answers, without class weights.
        targets: The targets, without class weights.
    """

    loss: tf.Tensor
    weight: tf.Tensor
    correct: tf.Tensor
    targets: tf.Tensor

    @classmethod
    def of(cls, outcome: Outcome, class_weights: tf.Tensor | float = 1.0) -> Sums:
        """Sums the outcome of a batch; class weights are float of the outcome's shape."""
        losses, weights, correct = outcome
        weighted = weights * class_weights
        right = tf.cast(correct, weights.dtype) * weights
        return cls(*(tf.reduce_sum(values) for values in (losses * weighted, weighted, right, weights)))


class Totals(NamedTuple):
    """The `Sums` of several batches as numbers, and gradient norms.

    Attributes:
        norm: The gradient norm of the last step.
        largest_norm: The largest gradient norm of a step.
    """

    loss: float = 0.0
    weight: float = 0.0
    correct: float = 0.0
    targets: float = 0.0
    norm: float = 0.0
    largest_norm: float = 0.0

    def figures(self) -> dict[str, float]:
        """Returns mean loss and accuracy; nothing without targets."""
        if not self.weight or not self.targets:
            return {}
        return {"loss": self.loss / self.weight, "accuracy": self.correct / self.targets}


class Diverged(NamedTuple):
    """The first step whose mean loss or gradient norm was not finite: its number, both, and its learning rate."""

    step: int
    loss: float
    norm: float
    rate: float


class DeviceTotals:
    """The totals of a pass in variables on the device."""

    def __init__(self) -> None:
        self._sums = tf.Variable(tf.zeros([len(Sums._fields)], tf.float64), trainable=False)
        self._norms = tf.Variable(tf.zeros([2]), trainable=False)
        self._diverged = tf.Variable(tf.zeros([len(Diverged._fields)], tf.float64), trainable=False)

    def reset(self, reading: Totals | None = None) -> None:
        """Starts a pass, or resumes one."""
        reading = reading or Totals()
        self._sums.assign(reading[:4])
        self._norms.assign(reading[4:])
        self._diverged.assign(tf.zeros_like(self._diverged))

    def add(self, sums: Sums) -> None:
        """Adds a batch; works in graphs."""
        self._sums.assign_add(tf.cast(tf.stack(sums), tf.float64))

    def end_step(self, step: tf.Tensor, loss: tf.Tensor, norm: tf.Tensor, rate: tf.Tensor, finite: tf.Tensor) -> None:
        """Records a step's number from 1, mean loss, gradient norm and learning rate; works in graphs."""
        shown = tf.where(tf.math.is_finite(norm), norm, 0)
        self._norms.assign(tf.stack([shown, tf.maximum(self._norms[1], shown)]))
        noted = tf.stack([tf.cast(value, tf.float64) for value in (step, loss, norm, rate)])
        first = tf.logical_and(tf.equal(self._diverged[0], 0), tf.logical_not(finite))
        self._diverged.assign(tf.where(first, noted, self._diverged))

    def read(self) -> tuple[Totals, Diverged | None]:
        """Reads the sums, which waits for all previous steps."""
        step, *values = self._diverged.numpy().tolist()
        reading = Totals(*self._sums.numpy().tolist(), *self._norms.numpy().tolist())
        return reading, Diverged(int(step), *values) if step else None
