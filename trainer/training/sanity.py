"""A check before training that a model can learn: its initial loss, and whether it overfits two batches."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.data import features as f
from trainer.errors import JobError
from trainer.jobs import progress
from trainer.training.objective import Objective

BATCHES = 2
BATCH_DOCUMENTS = 16
"""Few documents per batch, so that the check takes seconds."""

_STEPS = 150
"""Maximum number of steps on each batch."""
_LEARNING_RATE = 0.01
_TOLERANCE = 0.1
"""Maximum distance of the initial loss from chance level, as a share of it."""
_OVERFITTED = 0.2
"""Two batches are overfitted if their loss is at most this share of chance level."""


@dataclasses.dataclass(frozen=True)
class Findings:
    """The mean losses, in nats, that the check found.

    Attributes:
        chance_loss: The loss of a uniform guess; ln of the number of classes if each target has one class.
        start_loss: The model's loss before training.
        overfitted_loss: The model's loss after steps on the same batches.
        steps: The number of these steps.
    """

    chance_loss: float
    start_loss: float
    overfitted_loss: float
    steps: int


def check(model: keras.Model, objective: Objective[Any], batches: Sequence[f.Features]) -> Findings:
    """Checks an untrained model, and restores its weights and random generators.

    The losses exclude dropout and label smoothing. The steps use Adam with a fixed rate, because they check the model,
    its loss and its data, not the optimizer that trains it.

    Args:
        model: From the objective's inputs to logits.
        objective: What the model is trained for.
        batches: Two batches of real examples.

    Raises:
        JobError: If the initial loss is not at chance level, or the batches cannot be overfitted.
    """
    before = [variable.numpy() for variable in model.variables]
    names = (*objective.inputs, *objective.targets)
    numbers = [{name: batch[name] for name in names} for batch in batches]
    try:
        chance, start = (_mean_loss(model, objective, numbers, guess=guess) for guess in (True, False))
        if not (1 - _TOLERANCE) * chance <= start <= (1 + _TOLERANCE) * chance:
            raise _failure(
                "the initial loss is not at chance level",
                f"a loss of {start:.4g} on {BATCHES} batches",
                f"within {_TOLERANCE:.0%} of {chance:.4g}, the loss of a uniform guess",
                "Check the scale of the initial weights and of the imported word vectors: before training no class"
                " should be much likelier than another.",
            )
        overfitted, steps = _overfit(model, objective, numbers, chance)
        if not overfitted <= _OVERFITTED * chance:
            raise _failure(
                "two batches cannot be overfitted",
                f"a loss of {overfitted:.4g} after {steps} steps, from {start:.4g}",
                f"at most {_OVERFITTED * chance:.4g}, {_OVERFITTED:.0%} of the loss of a uniform guess",
                "Check that the labels match their documents, that similar documents have the same label, and that all"
                " layers are trained.",
            )
    finally:
        for variable, value in zip(model.variables, before, strict=True):
            variable.assign(value)
    return Findings(chance, start, overfitted, steps)


def _mean_loss(model: keras.Model, objective: Objective[Any], batches: Sequence[f.Features], *, guess: bool) -> float:
    """The mean loss of the model, or of a guess with the same logit for all classes."""
    losses, weights = [], []
    for batch in batches:
        progress.working("learning check", batch[f.TOKENS].shape)
        logits, _ = objective.call(model, batch, objective.initial_state(), training=False)
        outcome = objective.judge(batch, tf.zeros_like(logits) if guess else logits)
        losses.append(float(tf.reduce_sum(outcome.losses * outcome.weights)))
        weights.append(float(tf.reduce_sum(outcome.weights)))
    return sum(losses) / sum(weights)


def _overfit(
    model: keras.Model, objective: Objective[Any], batches: Sequence[f.Features], chance: float
) -> tuple[float, int]:
    """Trains on the batches in turn until their mean loss is low; returns it and the number of steps."""
    weights = model.trainable_variables
    optimizer = keras.optimizers.Adam(_LEARNING_RATE, global_clipnorm=1.0)
    optimizer.build(weights)

    @tf.function(reduce_retracing=True, autograph=False)
    def step(batch: f.Features) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits, _ = objective.call(model, batch, objective.initial_state(), training=False)
            outcome = objective.judge(batch, logits)
            loss = tf.reduce_sum(outcome.losses * outcome.weights) / tf.reduce_sum(outcome.weights)
        values = [weight.value for weight in weights]
        gradients = tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        optimizer.apply(dense, weights)
        return loss, tf.linalg.global_norm(dense)

    loss, steps = math.inf, 0
    while loss > _OVERFITTED * chance and steps < _STEPS * len(batches):
        done: list[tuple[tf.Tensor, tf.Tensor]] = []
        for batch in batches if weights else ():
            progress.working(f"learning check, step {steps + len(done) + 1}", batch[f.TOKENS].shape)
            done.append(step(batch))
        if not any(float(norm) for _, norm in done):
            raise _failure(
                "two batches cannot be overfitted",
                "no trained weight has a gradient",
                "a gradient of the loss for the trained weights",
                "Check for frozen layers, and for operations without a gradient between the weights and the logits.",
            )
        loss = float(np.mean([float(batch_loss) for batch_loss, _ in done]))
        steps += len(done)
    return loss, steps


def _failure(what: str, found: str, expected: str, fix: str) -> JobError:
    what, fix = f"The learning check failed: {what}.", f"{fix} trainer.sanity: false skips the check."
    return JobError(what, where="before training", found=found, expected=expected, fix=fix)
