"""The two tables of word2vec and their compiled training steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.jobs.kept_weights import WeightArray
from trainer.vectors.vector_words import Vocabulary
from trainer.word2vec.character_ngrams import ngram_ids
from trainer.word2vec.huffman import HuffmanTree
from trainer.word2vec.losses import (
    Lookup,
    LossFunction,
    StepOutcome,
    Update,
    cbow_hierarchical_softmax,
    cbow_negative_sampling,
    skipgram_hierarchical_softmax,
    skipgram_negative_sampling,
)
from trainer.word2vec.settings import CharacterNgramSettings, Word2vecSettings
from trainer.word2vec.windows import StepTensors, predictions

_ROWS_IN_ORDER = 1_000
"""TensorFlow adds up to 1,023 rows in order, and more of them in parallel, in an undefined order."""

_PIECES = 4
"""From this many thousand rows, summing the updates of each row first is faster."""

_LARGE_STEP, _LONGEST = 1_024, 0.5
"""Updates of a row are clipped to this length in steps of more words, in which their sum would overshoot."""

_FEW_WORDS = 1_000
"""Among more words a negative is hardly ever the predicted word, and checking takes a twentieth of the time."""

_COMPOSE_BATCH = 4_096


def make_objective(settings: Word2vecSettings, counts: NDArray[np.int64]) -> LossFunction:
    """Returns the objective of the settings' `model` and `loss`."""
    skipgram = settings.model == "skipgram"
    if settings.loss == "negative_sampling":
        few_words = len(counts) < _FEW_WORDS
        return (skipgram_negative_sampling if skipgram else cbow_negative_sampling)(settings, few_words=few_words)
    tree = HuffmanTree.from_counts(counts)
    return (skipgram_hierarchical_softmax if skipgram else cbow_hierarchical_softmax)(settings, tree)


class Tables(tf.Module):
    """Input and output vectors, float32 [rows, dimensions] each, and their training.

    Input vectors are initialized uniformly within 0.5 / dimensions and output vectors with zeros, as in word2vec.c.
    With n-grams the input table has a row for each bucket after those of the words. In the scope of a multi-device
    strategy, each device has a copy.
    """

    def __init__(self, settings: Word2vecSettings, vocabulary: Vocabulary) -> None:
        super().__init__(name="tables")
        words, dimensions = len(vocabulary.words), settings.dimensions
        buckets = settings.ngrams.buckets if settings.ngrams else 0
        bound = 0.5 / dimensions
        initial = tf.random.stateless_uniform((words + buckets, dimensions), [settings.seed, 0], -bound, bound)
        # At least one row: the tree of a single word has no inner node.
        outputs = words if settings.loss == "negative_sampling" else max(words - 1, 1)
        self.input = tf.Variable(initial, name="input")
        self.output = tf.Variable(tf.zeros((outputs, dimensions)), name="output")
        self.words = words
        self._outputs_are_words = settings.loss == "negative_sampling"
        self._model = settings.model
        self._composition = Composition(vocabulary.words, settings.ngrams) if settings.ngrams else None
        self._objective = make_objective(settings, vocabulary.counts)
        self._longest = _LONGEST if settings.step_tokens > _LARGE_STEP else None
        self._strategy = tf.distribute.get_strategy()

    @tf.function(reduce_retracing=True)
    def train(self, steps: StepTensors, rates: tf.Tensor) -> tf.Tensor:
        """Trains many steps.

        Args:
            steps: Steps of `windows.steps`.
            rates: Their learning rates, float32 [steps].

        Returns:
            The loss before the first step, in nats per prediction, float32 []; 0 without predictions.
        """
        first = {name: values[0] for name, values in steps.items()}
        predicted = tf.reduce_sum(predictions(first, self._model))
        loss = tf.math.divide_no_nan(tf.reduce_sum(self.outcome(first).losses), predicted)
        with tf.control_dependencies([loss]):
            for number in tf.range(tf.size(rates)):
                # Overlapping steps would read vectors before earlier ones have updated them.
                tf.autograph.experimental.set_loop_options(parallel_iterations=1)
                step = {name: values[number] for name, values in steps.items()}
                self._strategy.run(self._update, (step, rates[number]))
        return loss

    def outcome(self, step: StepTensors, rate: tf.Tensor | float = 0.0) -> StepOutcome:
        """Computes losses and updates of a step without applying them."""
        return self._objective(step, self.lookup, lookup(self.output), rate)

    def word_vectors(self) -> NDArray[np.float32]:
        """Returns the input vector of every word, float32 [words, dimensions], composed if there are n-grams."""
        parts = np.array_split(np.arange(self.words, dtype=np.int32), max(self.words // _COMPOSE_BATCH, 1))
        return np.concatenate([self.lookup(tf.constant(part)).numpy() for part in parts])

    def ngram_vectors(self) -> NDArray[np.float32] | None:
        """Returns the vectors of n-grams, float32 [buckets, dimensions], or None without n-grams."""
        return self.input[self.words :].numpy() if self._composition else None

    def parts(self) -> tuple[list[WeightArray], list[Any]]:
        """Describes the vectors for a warm start, without those of a tree, which the counts of the words shape."""
        width = int(self.input.shape[1])
        parts = [WeightArray("word vectors", (self.words, width), "words")]
        variables: list[Any] = [TableRows(self.input, 0, self.words)]
        if self._composition:
            rows = int(self.input.shape[0])
            parts.append(WeightArray(f"vectors of {self._composition.name}", (rows - self.words, width)))
            variables.append(TableRows(self.input, self.words, rows))
        if self._outputs_are_words:
            parts.append(WeightArray("output vectors", (self.words, width), "words"))
            variables.append(self.output)
        return parts, variables

    def lookup(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the input vectors, float32 [..., dimensions], of words, int32 of any shape."""
        return self._composition.vectors(self.input, rows) if self._composition else tf.gather(self.input, rows)

    def _update(self, step: StepTensors, rate: tf.Tensor) -> None:
        """Takes a step; each of several devices computes its share of the blocks and applies all updates."""
        replica = tf.distribute.get_replica_context()
        outcome = self.outcome(_share(step, replica), rate)
        update = _join_replicas(outcome.input, replica)
        _add(self.input, self._composition.spread(update) if self._composition else update, self._longest)
        for update in outcome.output:
            _add(self.output, _join_replicas(update, replica), self._longest)


class TableRows(NamedTuple):
    """Some rows of a table, as a variable."""

    table: tf.Variable
    start: int
    stop: int
    trainable: bool = True

    def numpy(self) -> NDArray[np.float32]:
        """Returns the rows, float32 [rows, dimensions]."""
        rows: NDArray[np.float32] = self.table.numpy()[self.start : self.stop]
        return rows

    def assign(self, values: NDArray[np.float32]) -> None:
        """Replaces the rows."""
        table = self.table.numpy()
        table[self.start : self.stop] = values
        self.table.assign(table)


class Composition:
    """Word vectors as the mean of the word's row and those of its n-grams (Bojanowski et al. 2017, section 3.2)."""

    def __init__(self, words: list[str], settings: CharacterNgramSettings) -> None:
        self.name = f"n-grams of {settings.min} to {settings.max} characters"
        rows = [[row, *(len(words) + bucket for bucket in ngram_ids(word, settings))] for row, word in enumerate(words)]
        self._parts = tf.ragged.constant(rows, tf.int32, row_splits_dtype=tf.int64)

    def vectors(self, table: tf.Variable, rows: tf.Tensor) -> tf.Tensor:
        """Returns the vectors, float32 [..., dimensions], of words, int32 of any shape."""
        parts = tf.gather(self._parts, tf.reshape(rows, [-1]))
        means = tf.math.segment_mean(tf.gather(table, parts.values), parts.value_rowids())
        return tf.reshape(means, tf.concat([tf.shape(rows), tf.shape(table)[1:]], 0))

    def spread(self, update: Update) -> Update:
        """Gives each part of a word the word's full delta, not a share of it, as in fastText."""
        parts = tf.gather(self._parts, update.rows)
        return Update(parts.values, tf.gather(update.delta, parts.value_rowids()))


def _share(step: StepTensors, replica: tf.distribute.ReplicaContext) -> StepTensors:
    """Returns the blocks of one replica and the noise of their groups."""
    count = replica.num_replicas_in_sync
    if count == 1:
        return step
    return {name: tf.stack(tf.split(values, count))[replica.replica_id_in_sync_group] for name, values in step.items()}


def _join_replicas(update: Update, replica: tf.distribute.ReplicaContext) -> Update:
    """Joins the updates of all replicas in order, so that all copies of a table stay equal."""
    if replica.num_replicas_in_sync == 1:
        return update
    return Update(*(replica.all_gather(part, axis=0) for part in update))


def lookup(table: tf.Variable) -> Lookup:
    """Returns a lookup of a table's rows."""
    return lambda rows: tf.gather(table, rows)


def _add(table: tf.Variable, update: Update, longest: float | None) -> None:
    """Adds deltas to rows of a table in a fixed order; the sums of repeated rows are clipped to a length."""
    number = update.rows.shape[0]
    if longest is not None or number is None or number > _ROWS_IN_ORDER * _PIECES:
        rows, places = tf.unique(update.rows)
        delta = tf.math.unsorted_segment_sum(update.delta, places, tf.size(rows))
        pieces = [Update(rows, delta if longest is None else tf.clip_by_norm(delta, longest, axes=[1]))]
    else:
        starts = range(0, number, _ROWS_IN_ORDER)
        pieces = [Update(*(part[start : start + _ROWS_IN_ORDER] for part in update)) for start in starts]
    for rows, delta in pieces:
        tf.raw_ops.ResourceScatterAdd(resource=table.handle, indices=rows, updates=delta)
