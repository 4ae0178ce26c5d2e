"""The shares of the encoder and of the linear chain in the scores of tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.supervised import shares
from trainer.supervised.shares import Shares
from trainer.tagger.linear.chain import best_tags, log_marginals


class ScoredBatch(NamedTuple):
    """A batch of sentences, scored.

    Attributes:
        encoder: The logits of the encoder, float32 [batch, time, tags].
        chain: The scores of the chain's attributes, float32 [batch, time, tags].
        tags: Their tags, int64 [batch, time].
        steps: Which steps are real, bool [batch, time].
        weights: The weight of each sentence, float32 [batch].
    """

    encoder: tf.Tensor
    chain: tf.Tensor
    tags: tf.Tensor
    steps: tf.Tensor
    weights: tf.Tensor


class Judged(NamedTuple):
    """The mean loss of tokens, in nats, and the share of those with their tag in the best sequence."""

    loss: float
    accuracy: float


def choose(batches: Sequence[ScoredBatch], pairs: NDArray[np.float32], *, backward: bool = True) -> Shares:
    """Returns the shares with the lowest loss on held-out tokens.

    Args:
        batches: The sentences.
        pairs: The scores of pairs, [tags, tags].
        backward: As in `log_marginals`.
    """

    def loss(both: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = 0.0, np.zeros(2)
        for batch in batches:
            found, slopes = _loss_and_slope(tf.constant(both, tf.float32), batch, tf.constant(pairs), backward)
            total, slope = total + float(found), slope + np.asarray(slopes, np.float64)
        return total, slope

    return shares.lowest(loss, with_slope=True)


def judge(
    batches: Sequence[ScoredBatch], pairs: NDArray[np.float32], joint: Shares, *, backward: bool = True
) -> Judged:
    """Judges a chain with some shares on batches, which have a token."""
    parts = [_judged(tf.constant(joint, tf.float32), batch, tf.constant(pairs), backward) for batch in batches]
    loss, weight, correct, tokens = np.sum([[float(part) for part in found] for found in parts], axis=0)
    return Judged(loss / weight if weight else float("nan"), correct / tokens)


@tf.function(reduce_retracing=True, autograph=False)
def _judged(joint: tf.Tensor, batch: ScoredBatch, pairs: tf.Tensor, backward: bool) -> tuple[tf.Tensor, ...]:
    """Returns the loss of tokens and their weight, the correct tokens and all, summed."""
    scores, between = _joined(joint, batch, pairs)
    right = batch.steps & tf.equal(best_tags(scores, batch.steps, between, backward=backward), batch.tags)
    weights = tf.cast(batch.steps, tf.float32) * batch.weights[:, tf.newaxis]
    counts = (tf.math.count_nonzero(marks) for marks in (right, batch.steps))
    loss = _loss(joint, batch, pairs, backward)
    return loss, tf.reduce_sum(weights), *counts


@tf.function(reduce_retracing=True, autograph=False)
def _loss_and_slope(
    joint: tf.Tensor, batch: ScoredBatch, pairs: tf.Tensor, backward: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the loss of a batch, float32 [], and its gradient by the shares, float32 [2]."""
    with tf.GradientTape() as tape:
        tape.watch(joint)
        loss = _loss(joint, batch, pairs, backward)
    return loss, tape.gradient(loss, joint)


def _joined(joint: tf.Tensor, batch: ScoredBatch, pairs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the scores of tags and of pairs."""
    encoder, chain = tf.unstack(joint)
    return encoder * batch.encoder + chain * batch.chain, chain * pairs


def _loss(joint: tf.Tensor, batch: ScoredBatch, pairs: tf.Tensor, backward: bool) -> tf.Tensor:
    """Returns the weighted sum of the tokens' losses, float32 []."""
    scores, between = _joined(joint, batch, pairs)
    logs = log_marginals(scores, batch.steps, between, backward=backward)
    losses = tf.where(batch.steps, -tf.gather(logs, batch.tags, batch_dims=2), 0.0)
    return tf.reduce_sum(losses * batch.weights[:, tf.newaxis])
