"""Documents as training steps: words in the order of the text, each with its window.

The words of a step form blocks. The windows of a block are parts of one frame of the text around it, so that all pairs
of a block are one small matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.data import parsing, tfrecords
from trainer.word2vec.sampling import NoiseTable, subsample
from trainer.word2vec.settings import Word2vecSettings

BLOCK = 16
"""Words in a block. Smaller blocks gather each word more often, larger ones multiply more pairs outside all windows."""

SHARING = 64
"""Words that share negatives, if the number divides a step: separate negatives would dominate the cost of a step."""

REPEATS, LOOK_BACK = 4, 32
"""A word that occurs this often among this many previous words is left out."""

CENTERS, CONTEXTS, LEFT, RIGHT, NOISE = "centers", "contexts", "left", "right", "noise"

StepTensors = dict[str, tf.Tensor]
"""A step, int32, with rows of words from 0, which is id 4 of the vocabulary: `centers` [blocks, BLOCK], the words;
`contexts` [blocks, BLOCK + 2 * window], the text around each block; `left` and `right` [blocks, BLOCK], the sizes of
the windows; `noise` [groups, negatives], negatives for each group of adjacent blocks."""

_STEPS = 64
_PREFETCHED = 4
_DOCUMENTS = 1_024
_MAX_GROUPS = 2**32


def steps(
    files: str | Sequence[str],
    settings: Word2vecSettings,
    keep: tf.Tensor,
    noise: NoiseTable,
    epochs: Sequence[int],
) -> tf.data.Dataset:
    """Reads passes over a split, each in a random order that depends on the seed and the epoch.

    Unknown words and words dropped by subsampling are left out before windows are drawn, as in word2vec.c: windows
    reach over them.

    Args:
        files: As for `trainer.data.reading.read`.
        settings: The trainer section of the configuration.
        keep: Probabilities with which occurrences of words are kept, float32 [words].
        noise: Draws the negatives.
        epochs: Numbers of the passes, from 0.

    Returns:
        A dataset of the number of a pass, int32 [], and many of its steps: `StepTensors` with a first axis [steps].
        The last steps of a pass are padded with words without a window.
    """
    paths = tfrecords.find(files)
    seeds = [tfrecords.mix(settings.seed, epoch) for epoch in epochs]
    orders = [tfrecords.shuffled(paths, seed) for seed in seeds]
    drawn = [(seed, tfrecords.mix(seed, 1), tfrecords.mix(seed, 2)) for seed in seeds]
    one_pass = _Pass(settings, tfrecords.compression(paths[0]), keep, noise)
    # One dataset for all passes: tracing and optimizing it takes as long as half a million words.
    passes = tf.data.Dataset.from_tensor_slices((tf.constant(epochs, tf.int32), orders, tf.constant(drawn, tf.int32)))
    return tfrecords.without_autotune(passes.flat_map(one_pass.steps).prefetch(_PREFETCHED))


class _Pass:
    """Reads a pass over a split; see `steps`."""

    def __init__(self, settings: Word2vecSettings, codec: str, keep: tf.Tensor, noise: NoiseTable) -> None:
        self._settings, self._codec, self._keep, self._noise = settings, codec, keep, noise
        self._tokens = _STEPS * settings.step_tokens

    @tf.autograph.experimental.do_not_convert
    def steps(self, epoch: tf.Tensor, order: tf.Tensor, seeds: tf.Tensor) -> tf.data.Dataset:
        """Reads files in order, string [files], with three seeds: for documents and words, windows, negatives."""
        parallel = {"num_parallel_calls": tfrecords.PARALLEL, "deterministic": True}

        @tf.autograph.experimental.do_not_convert
        def kept(number: tf.Tensor, serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return self._words(number, serialized, seeds[0])

        @tf.autograph.experimental.do_not_convert
        def with_windows(number: tf.Tensor, part: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, StepTensors]:
            return epoch, self._with_windows(*part, number, seeds)

        documents = tfrecords.windows(order, self._codec, _DOCUMENTS, seeds[0])
        words = documents.enumerate().map(kept, **parallel).rebatch(self._tokens)
        return words.enumerate().map(with_windows, **parallel)

    def _words(self, number: tf.Tensor, serialized: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the words of documents to train on, and their groups, which no window crosses."""
        rows, groups, _ = word_rows(parsing.tokens(serialized), self._keep.shape[0], self._settings.boundary)
        drawn = subsample(rows, self._keep, tf.stack([seed, tf.cast(number, tf.int32)]))
        rows, groups = without_repeats(tf.boolean_mask(rows, drawn), tf.boolean_mask(groups, drawn))
        # Adjacent parts must not share a number.
        return rows, groups + number * _MAX_GROUPS

    def _with_windows(self, rows: tf.Tensor, groups: tf.Tensor, number: tf.Tensor, seeds: tf.Tensor) -> StepTensors:
        """Draws windows and negatives of many steps."""
        settings, number = self._settings, tf.cast(number, tf.int32)
        reach = _reach(tf.size(rows), settings, tf.stack([seeds[1], number]))
        missing = self._tokens - tf.size(rows)
        flat = frames(tf.pad(rows, [[0, missing]]), *extents(groups, reach, missing), settings.window)
        shaped = {name: tf.reshape(value, [_STEPS, -1, *value.shape[1:]]) for name, value in flat.items()}
        negatives = [_STEPS, groups_of(settings.step_tokens), settings.shared_negatives]
        drawn = self._noise.draw(negatives, tf.stack([seeds[2], number]))
        return {**shaped, NOISE: tf.cast(drawn, tf.int32)}


def groups_of(tokens: int) -> int:
    """Returns the number of groups that share negatives in a step."""
    return tokens // math.gcd(tokens, SHARING)


def word_rows(tokens: tf.RaggedTensor, words: int, boundary: str) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Keeps only words of the vocabulary.

    Args:
        tokens: Ids, ragged int64 [batch, time].
        words: Words in the vocabulary, without the reserved ones.
        boundary: `document` or `segment`, which ends or begins with marks; no window crosses it.

    Returns:
        Rows of words, int32 [n], and for each the increasing number of its group, within which windows stay, and the
        number of its document, int64 [n].
    """
    ids, documents = tokens.values, tokens.value_rowids()
    groups = documents
    if boundary == "segment":
        marks = tf.cast((ids == f.BOS) | (ids == f.EOS), tf.int64)
        groups = groups + tf.cumsum(marks)
    known = (ids >= len(f.RESERVED_WORDS)) & (ids < len(f.RESERVED_WORDS) + words)
    rows = tf.cast(tf.boolean_mask(ids, known), tf.int32) - len(f.RESERVED_WORDS)
    return rows, tf.boolean_mask(groups, known), tf.boolean_mask(documents, known)


def without_repeats(rows: tf.Tensor, groups: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Shortens repetitions, for example lines of `=` or asterisks.

    A step sums the updates of all its pairs. Hundreds of the same pair would overshoot, where sequential updates
    converge, and these vectors would distort others as negatives.

    Returns:
        Rows of words, int32 [n], and their groups, int64 [n], without the words that occur `REPEATS` times among the
        `LOOK_BACK` previous words.
    """
    before = tf.pad(rows, [[LOOK_BACK, 0]], constant_values=-1)
    seen = tf.add_n([tf.cast(before[k : k - LOOK_BACK] == rows, tf.int32) for k in range(LOOK_BACK)])
    kept = seen < REPEATS
    return tf.boolean_mask(rows, kept), tf.boolean_mask(groups, kept)


def extents(groups: tf.Tensor, reach: tf.Tensor, missing: int | tf.Tensor = 0) -> tuple[tf.Tensor, tf.Tensor]:
    """Limits windows to their group.

    Args:
        groups: The number of each word's group, int64 [n], equal for adjacent words of a group.
        reach: Words of the window on each side, int32 [n].
        missing: Words without a window to add at the end.

    Returns:
        Words of each window on the left and on the right, int32 [n + missing] each.
    """
    _, index, sizes = tf.unique_with_counts(groups)
    position = tf.range(tf.size(groups)) - tf.gather(tf.cumsum(sizes, exclusive=True), index)
    left = tf.minimum(reach, position)
    right = tf.minimum(reach, tf.gather(sizes, index) - 1 - position)
    return tf.pad(left, [[0, missing]]), tf.pad(right, [[0, missing]])


def frames(rows: tf.Tensor, left: tf.Tensor, right: tf.Tensor, window: int) -> StepTensors:
    """Builds a step without `noise` from blocks of words.

    Args:
        rows: Rows of words, int32 [n], a multiple of `BLOCK`.
        left: Words of each window on the left, int32 [n].
        right: Words of each window on the right, int32 [n].
        window: Maximum number of words of a window on each side.
    """
    around = tf.signal.frame(tf.pad(rows, [[window, window]]), BLOCK + 2 * window, BLOCK)
    blocks = {CENTERS: rows, LEFT: left, RIGHT: right}
    shaped = {name: tf.reshape(values, [-1, BLOCK]) for name, values in blocks.items()}
    return {**shaped, CONTEXTS: tf.ensure_shape(around, [None, BLOCK + 2 * window])}


def predictions(step: StepTensors, model: Literal["skipgram", "cbow"]) -> tf.Tensor:
    """Counts the predictions at each word: its neighbors or, with CBOW, itself; float32 [blocks, BLOCK]."""
    found = step[LEFT] + step[RIGHT]
    return tf.cast(found if model == "skipgram" else tf.sign(found), tf.float32)


class WindowTable:
    """Lookup of window masks, in place of several operations of the same size at every step.

    Args:
        window: Maximum number of words of a window on each side.
    """

    def __init__(self, window: int) -> None:
        distance = np.arange(BLOCK + 2 * window) - np.arange(BLOCK)[:, None] - window
        size = np.arange(window + 1)[:, None, None]
        sides = (distance < 0) & (distance >= -size), (distance > 0) & (distance <= size)
        self._left, self._right = (self._rows_of(side) for side in sides)
        self._first = tf.range(BLOCK) * (window + 1)

    def __call__(self, step: StepTensors) -> tf.Tensor:
        """Returns 1 for words of the frame in the window, else 0, float32 [blocks, BLOCK, frame]."""
        left, right = self._first + step[LEFT], self._first + step[RIGHT]
        return tf.gather(self._left, left) + tf.gather(self._right, right)

    @staticmethod
    def _rows_of(masks: NDArray[np.bool_]) -> tf.Tensor:
        """Flattens [sizes, BLOCK, columns] to a row for each word of a block and size of a window."""
        return tf.constant(masks.transpose(1, 0, 2).reshape(-1, masks.shape[2]), tf.float32)


def _reach(number: tf.Tensor, settings: Word2vecSettings, seed: tf.Tensor) -> tf.Tensor:
    """Draws window sizes, int32 [number] (Mikolov et al. 2013, "Efficient Estimation", section 3.2)."""
    if not settings.window_reduction:
        return tf.fill([number], settings.window)
    return tf.random.stateless_uniform([number], seed, 1, settings.window + 1, tf.int32)
