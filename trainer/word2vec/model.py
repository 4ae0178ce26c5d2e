"""The two tables of word2vec and the compiled steps that update them."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.word2vec.huffman import HuffmanTree
from trainer.word2vec.objective import (
    Lookup,
    Objective,
    Outcome,
    Update,
    cbow_hierarchical_softmax,
    cbow_negative_sampling,
    skipgram_hierarchical_softmax,
    skipgram_negative_sampling,
)
from trainer.word2vec.settings import Word2vecSettings
from trainer.word2vec.windows import Step

_ROWS_IN_ORDER = 1_000
"""TensorFlow adds up to 1,023 rows one after the other, and more of them in parallel, in no certain order."""


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The words of a transform graph without the reserved ones; row r has the id r + 4.

    Attributes:
        words: By falling count.
        counts: Occurrences in the train split, int64 [words].
    """

    words: list[str]
    counts: NDArray[np.int64]


def make_objective(settings: Word2vecSettings, counts: NDArray[np.int64]) -> Objective:
    """Picks what `model` and `loss` of the settings name."""
    skipgram = settings.model == "skipgram"
    if settings.loss == "negative_sampling":
        return (skipgram_negative_sampling if skipgram else cbow_negative_sampling)(settings)
    tree = HuffmanTree.from_counts(counts)
    return (skipgram_hierarchical_softmax if skipgram else cbow_hierarchical_softmax)(settings, tree)


class Tables(tf.Module):
    """Input and output vectors, float32 [rows, dimensions] each, and their training.

    Input vectors begin uniform within half of 1 / dimensions and output vectors at zero, as in word2vec.c.

    Args:
        settings: The trainer section of the configuration.
        counts: Occurrences of the words, int64 [words].
    """

    def __init__(self, settings: Word2vecSettings, counts: NDArray[np.int64]) -> None:
        super().__init__(name="tables")
        shape = (len(counts), settings.dimensions)
        bound = 0.5 / settings.dimensions
        initial = tf.random.stateless_uniform(shape, [settings.seed, 0], -bound, bound)
        # One row at least: a tree of a single word has no inner node.
        outputs = len(counts) if settings.loss == "negative_sampling" else max(len(counts) - 1, 1)
        self.input = tf.Variable(initial, name="input")
        self.output = tf.Variable(tf.zeros((outputs, settings.dimensions)), name="output")
        self._objective = make_objective(settings, counts)

    @tf.function(reduce_retracing=True)
    def train(self, steps: Step, rates: tf.Tensor) -> tf.Tensor:
        """Does many steps.

        Args:
            steps: As `windows.steps` gives them.
            rates: The learning rate of each, float32 [steps].

        Returns:
            The loss of the first step's words before it, float32 [words].
        """
        first = self.outcome({name: values[0] for name, values in steps.items()}).losses
        with tf.control_dependencies([first]):
            for number in tf.range(tf.size(rates)):
                # Steps that overlap would read vectors before others have updated them.
                tf.autograph.experimental.set_loop_options(parallel_iterations=1)
                self._update({name: values[number] for name, values in steps.items()}, rates[number])
        return tf.reshape(first, [-1])

    def outcome(self, step: Step, rate: tf.Tensor | float = 0.0) -> Outcome:
        """Computes losses and updates of a step without applying them."""
        return self._objective(step, _lookup(self.input), _lookup(self.output), rate)

    def _update(self, step: Step, rate: tf.Tensor) -> None:
        outcome = self.outcome(step, rate)
        _add(self.input, outcome.input)
        for update in outcome.output:
            _add(self.output, update)


def _lookup(table: tf.Variable) -> Lookup:
    return lambda rows: tf.gather(table, rows)


def _add(table: tf.Variable, update: Update) -> None:
    """Adds deltas to rows of a table, the sum where a row repeats, always in the same order."""
    number = update.rows.shape[0]
    if number is None or number > _ROWS_IN_ORDER * 4:
        rows, places = tf.unique(update.rows)
        update = Update(rows, tf.math.unsorted_segment_sum(update.delta, places, tf.size(rows)))
        pieces = [update]
    else:
        pieces = [
            Update(*(part[first : first + _ROWS_IN_ORDER] for part in update))
            for first in range(0, number, _ROWS_IN_ORDER)
        ]
    for rows, delta in pieces:
        tf.raw_ops.ResourceScatterAdd(resource=table.handle, indices=rows, updates=delta)
