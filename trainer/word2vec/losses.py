"""The losses of word2vec on a step, and their gradients in closed form.

Automatic differentiation would store every product and gather twice, and steps dominate the cost of training.
Gradients are sparse: rows of a table and the deltas to add. The loss of a word is the sum over its pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.word2vec.huffman import HuffmanTree
from trainer.word2vec.settings import Word2vecSettings
from trainer.word2vec.windows import BLOCK, CENTERS, CONTEXTS, NOISE, StepTensors, WindowTable, predictions


class Update(NamedTuple):
    """Rows of a table, int32 [n], and deltas to add to them, float32 [n, dimensions]; rows may repeat."""

    rows: tf.Tensor
    delta: tf.Tensor


class StepOutcome(NamedTuple):
    """The results of a step.

    Attributes:
        losses: The loss of each word, float32 [blocks, BLOCK], in nats.
        input: Updates of the input vectors.
        output: Updates of the output vectors, in the order to apply them.
    """

    losses: tf.Tensor
    input: Update
    output: list[Update]


Lookup = Callable[[tf.Tensor], tf.Tensor]
"""From rows, int32 of any shape, to their vectors, float32 [..., dimensions]."""

LossFunction = Callable[[StepTensors, Lookup, Lookup, "tf.Tensor | float"], StepOutcome]
"""From a step, the lookups of input and output vectors and the learning rate to the step's results."""


def skipgram_negative_sampling(settings: Word2vecSettings, *, few_words: bool) -> LossFunction:
    """Each word predicts the words of its window, among noise words (Mikolov et al. 2013, section 2.2).

    Negatives are shared by the pairs of adjacent blocks, and weighted so that each pair has `negatives` of them.
    With few words, a negative that is the predicted word itself does not count for that pair.
    """
    in_window, share = WindowTable(settings.window), settings.negatives / settings.shared_negatives

    def objective(step: StepTensors, inputs: Lookup, outputs: Lookup, rate: tf.Tensor | float) -> StepOutcome:
        noise, predicted = step[NOISE], in_window(step)
        words, weight = inputs(step[CENTERS]), predictions(step, "skipgram")[..., tf.newaxis]
        if few_words:
            weight = weight - _predicted_negatives(predicted, step)
        positive = _logistic(words, outputs(step[CONTEXTS]), 1.0, predicted, rate)
        negative = _logistic(_grouped(words, noise), outputs(noise), 0.0, _grouped(weight, noise) * share, rate)
        return StepOutcome(
            positive.losses + tf.reshape(negative.losses, tf.shape(positive.losses)),
            _update(step[CENTERS], positive.words + tf.reshape(negative.words, tf.shape(words))),
            [_update(step[CONTEXTS], positive.others), _update(noise, negative.others)],
        )

    return objective


def cbow_negative_sampling(settings: Word2vecSettings, *, few_words: bool) -> LossFunction:
    """The mean of a window predicts its word, among noise words (Mikolov et al. 2013, "Efficient Estimation").

    Negatives are shared by the words of adjacent blocks, and weighted so that each word has `negatives` of them.
    With few words, a negative that is the word itself does not count. Each word of the window gets its mean's full
    delta, not a share of it, as in word2vec.c and gensim.
    """
    in_window, share = WindowTable(settings.window), settings.negatives / settings.shared_negatives

    def objective(step: StepTensors, inputs: Lookup, outputs: Lookup, rate: tf.Tensor | float) -> StepOutcome:
        around, words, noise = inputs(step[CONTEXTS]), outputs(step[CENTERS]), step[NOISE]
        in_mean = in_window(step)
        means, weight = _means(in_mean, around), predictions(step, "cbow")[..., tf.newaxis]
        logits = tf.reduce_sum(means * words, -1, keepdims=True)
        slope = (1 - tf.sigmoid(logits)) * (weight * rate)
        noise_weight = _grouped(weight, noise) * share
        if few_words:
            others = _grouped(step[CENTERS][..., tf.newaxis], noise) != noise[:, tf.newaxis]
            noise_weight *= tf.cast(others, tf.float32)
        negative = _logistic(_grouped(means, noise), outputs(noise), 0.0, noise_weight, rate)
        means_delta = slope * words + tf.reshape(negative.words, tf.shape(words))
        return StepOutcome(
            tf.squeeze(tf.nn.softplus(-logits) * weight, -1) + tf.reshape(negative.losses, tf.shape(step[CENTERS])),
            _update(step[CONTEXTS], tf.matmul(in_mean, means_delta, transpose_a=True)),
            [_update(step[CENTERS], slope * means), _update(noise, negative.others)],
        )

    return objective


def skipgram_hierarchical_softmax(settings: Word2vecSettings, tree: HuffmanTree) -> LossFunction:
    """Each word of a window predicts the path to the window's own word (Mikolov et al. 2013, section 2.1).

    The direction is that of word2vec.c. Output vectors belong to inner nodes.
    """
    paths, in_window = _Paths(tree), WindowTable(settings.window)

    def objective(step: StepTensors, inputs: Lookup, outputs: Lookup, rate: tf.Tensor | float) -> StepOutcome:
        around, (points, codes, on_path) = inputs(step[CONTEXTS]), paths(step[CENTERS])
        nodes = outputs(tf.reshape(points, [-1, BLOCK * paths.depth]))
        # [blocks, frame, BLOCK * depth]: a pair counts at every node of the path.
        pairs = tf.repeat(tf.transpose(in_window(step), [0, 2, 1]), paths.depth, axis=2)
        weight = pairs * tf.reshape(on_path, [-1, 1, BLOCK * paths.depth])
        targets = 1 - tf.reshape(codes, [-1, 1, BLOCK * paths.depth])
        logits = tf.matmul(around, nodes, transpose_b=True)
        per_node = tf.reduce_sum(_cross_entropy(targets, logits) * weight, axis=1)
        slope = (targets - tf.sigmoid(logits)) * (weight * rate)
        return StepOutcome(
            tf.reduce_sum(tf.reshape(per_node, [-1, BLOCK, paths.depth]), -1),
            _update(step[CONTEXTS], tf.matmul(slope, nodes)),
            [_update(points, tf.matmul(slope, around, transpose_a=True))],
        )

    return objective


def cbow_hierarchical_softmax(settings: Word2vecSettings, tree: HuffmanTree) -> LossFunction:
    """The mean of a window predicts the path to its word (Mikolov et al. 2013, "Efficient Estimation", section 3.1).

    Each word of the window gets its mean's full delta, as with negative sampling.
    """
    paths, in_window = _Paths(tree), WindowTable(settings.window)

    def objective(step: StepTensors, inputs: Lookup, outputs: Lookup, rate: tf.Tensor | float) -> StepOutcome:
        around, (points, codes, on_path) = inputs(step[CONTEXTS]), paths(step[CENTERS])
        in_mean, nodes = in_window(step), outputs(points)
        means, weight = _means(in_mean, around), on_path * predictions(step, "cbow")[..., tf.newaxis]
        logits = tf.linalg.matvec(nodes, means)
        slope = (1 - codes - tf.sigmoid(logits)) * (weight * rate)
        means_delta = tf.linalg.matvec(nodes, slope, transpose_a=True)
        return StepOutcome(
            tf.reduce_sum(_cross_entropy(1 - codes, logits) * weight, -1),
            _update(step[CONTEXTS], tf.matmul(in_mean, means_delta, transpose_a=True)),
            [_update(points, tf.expand_dims(slope, -1) * tf.expand_dims(means, 2))],
        )

    return objective


class _Paths:
    """Lookup of the paths of words in a tree."""

    def __init__(self, tree: HuffmanTree) -> None:
        # A single word has no path, but a tensor needs a column.
        missing = [[0, 0], [0, 1 if tree.points.shape[1] == 0 else 0]]
        self._points, self._codes = np.pad(tree.points, missing), np.pad(tree.codes, missing).astype(np.float32)
        self.depth = self._points.shape[1]
        self._on_path = tf.sequence_mask(tree.lengths, self.depth, tf.float32)

    def __call__(self, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns inner nodes, branches and a mask of the path's steps, [..., depth] each."""
        return tf.gather(self._points, words), tf.gather(self._codes, words), tf.gather(self._on_path, words)


class _Logistic(NamedTuple):
    """Logistic regressions of pairs: losses of words, [groups, words], and deltas of words and of others."""

    losses: tf.Tensor
    words: tf.Tensor
    others: tf.Tensor


def _logistic(
    words: tf.Tensor, others: tf.Tensor, target: float, weights: tf.Tensor, rate: tf.Tensor | float
) -> _Logistic:
    """Pairs each word, [groups, words, dimensions], of a group with each of its others, [groups, others, dimensions].

    `target` is 1 for pairs of the text and 0 for noise; `weights` of pairs are float32 [groups, words, others or 1].
    """
    logits = tf.matmul(words, others, transpose_b=True)
    slope = (target - tf.sigmoid(logits)) * (weights * rate)
    return _Logistic(
        tf.reduce_sum(_cross_entropy(target, logits) * weights, -1),
        tf.matmul(slope, others),
        tf.matmul(slope, words, transpose_a=True),
    )


def _grouped(values: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Reshapes values of words, [blocks, BLOCK, n], to groups of words that share noise, [groups, words, n]."""
    return tf.reshape(values, [tf.shape(noise)[0], -1, values.shape[-1]])


def _predicted_negatives(predicted: tf.Tensor, step: StepTensors) -> tf.Tensor:
    """Counts each negative in each word's window, float32 [blocks, BLOCK, negatives]."""
    contexts, noise = step[CONTEXTS], step[NOISE]
    of_block = tf.repeat(noise, tf.shape(contexts)[0] // tf.shape(noise)[0], axis=0)
    same = tf.cast(contexts[:, :, tf.newaxis] == of_block[:, tf.newaxis], tf.float32)
    return tf.matmul(predicted, same)


def _means(mask: tf.Tensor, around: tf.Tensor) -> tf.Tensor:
    """Returns the mean of each window, float32 [blocks, BLOCK, dimensions], zeros if it is empty."""
    return tf.math.divide_no_nan(tf.matmul(mask, around), tf.reduce_sum(mask, -1, keepdims=True))


def _cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.nn.softplus(logits) - targets * logits


def _update(rows: tf.Tensor, delta: tf.Tensor) -> Update:
    return Update(tf.reshape(rows, [-1]), tf.reshape(delta, [-1, delta.shape[-1]]))
