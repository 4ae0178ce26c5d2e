"""The losses of word2vec on a step, and their gradients in closed form.

Automatic differentiation would keep every product and gather twice; here the step is the whole cost of training.
Gradients are sparse: rows of a table and what to add to them. The loss of a word is the sum over its pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.word2vec.huffman import HuffmanTree
from trainer.word2vec.settings import Word2vecSettings
from trainer.word2vec.windows import BLOCK, CENTERS, CONTEXTS, LEFT, NOISE, RIGHT, Step, WindowTable


class Update(NamedTuple):
    """Rows of a table, int32 [n], and what is added to them, float32 [n, dimensions]; rows may repeat."""

    rows: tf.Tensor
    delta: tf.Tensor


class Outcome(NamedTuple):
    """What a step gives.

    Attributes:
        losses: The loss of each word, float32 [blocks, BLOCK], in nats.
        input: Updates of the input vectors.
        output: Updates of the output vectors, one after the other.
    """

    losses: tf.Tensor
    input: Update
    output: list[Update]


Lookup = Callable[[tf.Tensor], tf.Tensor]
"""From rows, int32 of any shape, to their vectors, float32 [..., dimensions]."""

Objective = Callable[[Step, Lookup, Lookup, "tf.Tensor | float"], Outcome]
"""From a step, the look-ups of input and output vectors and the learning rate to what the step gives."""


def skipgram_negative_sampling(settings: Word2vecSettings, *, few_words: bool) -> Objective:
    """Each word predicts the words of its window, among words of the noise (Mikolov et al. 2013, section 2.2).

    Negatives are shared by the pairs of a block, and weighted so that each pair has `negatives` of them. Where there
    are few words, a negative that is the predicted word itself does not count for that pair.
    """
    drawn, frame = settings.shared_negatives, BLOCK + 2 * settings.window
    share = settings.negatives / drawn
    weights_of = WindowTable(settings.window, drawn, share)
    targets = tf.constant([1.0] * frame + [0.0] * drawn)

    def without_positives(weights: tf.Tensor, step: Step) -> tf.Tensor:
        """Takes the pairs whose predicted word is a negative from that negative's weight."""
        in_window, negative = weights[..., :frame], weights[..., frame:]
        same = tf.cast(step[CONTEXTS][:, :, tf.newaxis] == step[NOISE][:, tf.newaxis], tf.float32)
        return tf.concat([in_window, negative - tf.matmul(in_window, same) * share], -1)

    def objective(step: Step, inputs: Lookup, outputs: Lookup, rate: tf.Tensor | float) -> Outcome:
        """Multiplies the words of each block with its frame and its noise."""
        rows = tf.concat([step[CONTEXTS], step[NOISE]], axis=1)
        words, others, weights = inputs(step[CENTERS]), outputs(rows), weights_of(step)
        if few_words:
            weights = without_positives(weights, step)
        logits = tf.matmul(words, others, transpose_b=True)
        slope = (targets - tf.sigmoid(logits)) * (weights * rate)
        return Outcome(
            tf.reduce_sum(_cross_entropy(targets, logits) * weights, -1),
            _update(step[CENTERS], tf.matmul(slope, others)),
            [_update(rows, tf.matmul(slope, words, transpose_a=True))],
        )

    return objective


def cbow_negative_sampling(settings: Word2vecSettings, *, few_words: bool) -> Objective:
    """The mean of a window predicts its word, among words of the noise (Mikolov et al. 2013, "Efficient Estimation").

    Negatives are shared by the words of a block, and weighted so that each word has `negatives` of them. Where there
    are few words, a negative that is the word itself does not count. Each word of the window gets the whole of its
    mean's delta, not its share of it, as in word2vec.c and gensim.
    """
    in_window, share = WindowTable(settings.window), settings.negatives / settings.shared_negatives

    def objective(step: Step, inputs: Lookup, outputs: Lookup, rate: tf.Tensor | float) -> Outcome:
        """Averages each window, and multiplies the means with their words and with the noise."""
        around, words, noise = inputs(step[CONTEXTS]), outputs(step[CENTERS]), outputs(step[NOISE])
        in_mean = in_window(step)
        means, weight = _means(in_mean, around), _has_window(step)
        noise_weight = weight * share
        if few_words:
            others = step[CENTERS][:, :, tf.newaxis] != step[NOISE][:, tf.newaxis]
            noise_weight *= tf.cast(others, tf.float32)
        logits = tf.reduce_sum(means * words, -1, keepdims=True)
        noise_logits = tf.matmul(means, noise, transpose_b=True)
        noise_losses = tf.reduce_sum(tf.nn.softplus(noise_logits) * noise_weight, -1)
        slope = (1 - tf.sigmoid(logits)) * (weight * rate)
        noise_slope = tf.sigmoid(noise_logits) * (noise_weight * -rate)
        means_delta = slope * words + tf.matmul(noise_slope, noise)
        return Outcome(
            tf.squeeze(tf.nn.softplus(-logits) * weight, -1) + noise_losses,
            _update(step[CONTEXTS], tf.matmul(in_mean, means_delta, transpose_a=True)),
            [
                _update(step[CENTERS], slope * means),
                _update(step[NOISE], tf.matmul(noise_slope, means, transpose_a=True)),
            ],
        )

    return objective


def skipgram_hierarchical_softmax(settings: Word2vecSettings, tree: HuffmanTree) -> Objective:
    """Each word of a window predicts the path to the window's own word (Mikolov et al. 2013, section 2.1).

    The direction is word2vec.c's. Output vectors are those of inner nodes.
    """
    paths, in_window = _Paths(tree), WindowTable(settings.window)

    def objective(step: Step, inputs: Lookup, outputs: Lookup, rate: tf.Tensor | float) -> Outcome:
        """Multiplies each frame with the nodes of all paths of its block."""
        around, (points, codes, on_path) = inputs(step[CONTEXTS]), paths(step[CENTERS])
        nodes = outputs(tf.reshape(points, [-1, BLOCK * paths.depth]))
        # [blocks, frame, BLOCK * depth]: a pair counts at every node of the path.
        pairs = tf.repeat(tf.transpose(in_window(step), [0, 2, 1]), paths.depth, axis=2)
        weight = pairs * tf.reshape(on_path, [-1, 1, BLOCK * paths.depth])
        targets = 1 - tf.reshape(codes, [-1, 1, BLOCK * paths.depth])
        logits = tf.matmul(around, nodes, transpose_b=True)
        per_node = tf.reduce_sum(_cross_entropy(targets, logits) * weight, axis=1)
        slope = (targets - tf.sigmoid(logits)) * (weight * rate)
        return Outcome(
            tf.reduce_sum(tf.reshape(per_node, [-1, BLOCK, paths.depth]), -1),
            _update(step[CONTEXTS], tf.matmul(slope, nodes)),
            [_update(points, tf.matmul(slope, around, transpose_a=True))],
        )

    return objective


def cbow_hierarchical_softmax(settings: Word2vecSettings, tree: HuffmanTree) -> Objective:
    """The mean of a window predicts the path to its word (Mikolov et al. 2013, "Efficient Estimation", section 3.1).

    Each word of the window gets the whole of its mean's delta, as with negative sampling.
    """
    paths, in_window = _Paths(tree), WindowTable(settings.window)

    def objective(step: Step, inputs: Lookup, outputs: Lookup, rate: tf.Tensor | float) -> Outcome:
        """Averages each window, and multiplies the mean with the nodes of its word's path."""
        around, (points, codes, on_path) = inputs(step[CONTEXTS]), paths(step[CENTERS])
        in_mean, nodes = in_window(step), outputs(points)
        means, weight = _means(in_mean, around), on_path * _has_window(step)
        logits = tf.linalg.matvec(nodes, means)
        slope = (1 - codes - tf.sigmoid(logits)) * (weight * rate)
        means_delta = tf.linalg.matvec(nodes, slope, transpose_a=True)
        return Outcome(
            tf.reduce_sum(_cross_entropy(1 - codes, logits) * weight, -1),
            _update(step[CONTEXTS], tf.matmul(in_mean, means_delta, transpose_a=True)),
            [_update(points, tf.expand_dims(slope, -1) * tf.expand_dims(means, 2))],
        )

    return objective


class _Paths:
    """Looks up the paths of words in a tree."""

    def __init__(self, tree: HuffmanTree) -> None:
        # The only word of a vocabulary has no path, but a tensor needs a column.
        missing = [[0, 0], [0, 1 if tree.points.shape[1] == 0 else 0]]
        self._points, self._codes = np.pad(tree.points, missing), np.pad(tree.codes, missing).astype(np.float32)
        self.depth = self._points.shape[1]
        self._on_path = tf.sequence_mask(tree.lengths, self.depth, tf.float32)

    def __call__(self, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns inner nodes, branches and whether the path goes so far, [..., depth] each."""
        return tf.gather(self._points, words), tf.gather(self._codes, words), tf.gather(self._on_path, words)


def _has_window(step: Step) -> tf.Tensor:
    """1 for a word with others in its window, else 0, float32 [blocks, BLOCK, 1]."""
    return tf.cast(tf.sign(step[LEFT] + step[RIGHT])[..., tf.newaxis], tf.float32)


def _means(mask: tf.Tensor, around: tf.Tensor) -> tf.Tensor:
    """The mean of each window, float32 [blocks, BLOCK, dimensions], zeros where it is empty."""
    return tf.math.divide_no_nan(tf.matmul(mask, around), tf.reduce_sum(mask, -1, keepdims=True))


def _cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.nn.softplus(logits) - targets * logits


def _update(rows: tf.Tensor, delta: tf.Tensor) -> Update:
    return Update(tf.reshape(rows, [-1]), tf.reshape(delta, [-1, delta.shape[-1]]))
