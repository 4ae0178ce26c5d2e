"""The shares of the encoder and of the linear chain in the scores of tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.optimize
import tensorflow as tf
from numpy.typing import NDArray

from trainer.tagger.linear.chain import best_tags, log_marginals

_PRIOR = np.array([10.0, 25.0])
"""The precisions of the prior, normal around the chain alone: few sentences decide little."""


class ChainShares(NamedTuple):
    """The factors of the encoder's logits and of the chain's scores, also those of pairs."""

    encoder: float
    chain: float


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


def choose(batches: Sequence[ScoredBatch], pairs: NDArray[np.float32], *, backward: bool = True) -> ChainShares:
    """Returns the shares, 0 or more, with the lowest loss on held-out tokens, and near (0, 1) on few of them.

    Args:
        batches: The sentences.
        pairs: The scores of pairs, [tags, tags].
        backward: As in `log_marginals`.
    """

    def total(shares: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        away = shares - [0, 1]
        loss, slope = float((_PRIOR / 2 * np.square(away)).sum()), _PRIOR * away
        for batch in batches:
            found, slopes = _loss_and_slope(tf.constant(shares, tf.float32), batch, tf.constant(pairs), backward)
            loss, slope = loss + float(found), slope + np.asarray(slopes, np.float64)
        return loss, slope

    best = scipy.optimize.minimize(total, [0.5, 0.5], jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2)
    return ChainShares(*(round(float(share), 6) for share in best.x))


def judge(
    batches: Sequence[ScoredBatch], pairs: NDArray[np.float32], shares: ChainShares, *, backward: bool = True
) -> Judged:
    """Judges a chain with some shares on batches, which have a token."""
    parts = [_judged(tf.constant(shares, tf.float32), batch, tf.constant(pairs), backward) for batch in batches]
    loss, weight, correct, tokens = np.sum([[float(part) for part in found] for found in parts], axis=0)
    return Judged(loss / weight if weight else float("nan"), correct / tokens)


@tf.function(reduce_retracing=True, autograph=False)
def _judged(shares: tf.Tensor, batch: ScoredBatch, pairs: tf.Tensor, backward: bool) -> tuple[tf.Tensor, ...]:
    """Returns the loss of tokens and their weight, the correct tokens and all, summed."""
    scores, between = _joined(shares, batch, pairs)
    right = batch.steps & tf.equal(best_tags(scores, batch.steps, between, backward=backward), batch.tags)
    weights = tf.cast(batch.steps, tf.float32) * batch.weights[:, tf.newaxis]
    counts = (tf.math.count_nonzero(marks) for marks in (right, batch.steps))
    loss = _loss(shares, batch, pairs, backward)
    return loss, tf.reduce_sum(weights), *counts


@tf.function(reduce_retracing=True, autograph=False)
def _loss_and_slope(
    shares: tf.Tensor, batch: ScoredBatch, pairs: tf.Tensor, backward: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the loss of a batch, float32 [], and its gradient by the shares, float32 [2]."""
    with tf.GradientTape() as tape:
        tape.watch(shares)
        loss = _loss(shares, batch, pairs, backward)
    return loss, tape.gradient(loss, shares)


def _joined(shares: tf.Tensor, batch: ScoredBatch, pairs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the scores of tags and of pairs."""
    encoder, chain = tf.unstack(shares)
    return encoder * batch.encoder + chain * batch.chain, chain * pairs


def _loss(shares: tf.Tensor, batch: ScoredBatch, pairs: tf.Tensor, backward: bool) -> tf.Tensor:
    """Returns the weighted sum of the tokens' losses, float32 []."""
    scores, between = _joined(shares, batch, pairs)
    logs = log_marginals(scores, batch.steps, between, backward=backward)
    losses = tf.where(batch.steps, -tf.gather(logs, batch.tags, batch_dims=2), 0.0)
    return tf.reduce_sum(losses * batch.weights[:, tf.newaxis])
