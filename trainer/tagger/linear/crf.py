"""Fits a linear-chain conditional random field (Lafferty et al. 2001, Conditional Random Fields) with CRFsuite."""

from __future__ import annotations

import concurrent.futures
import itertools
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pycrfsuite
import tensorflow as tf
from numpy.typing import NDArray

from trainer.jobs.counting import MIN_PROBABILITY
from trainer.tagger.linear.chain import best_tags
from trainer.tagger.linear.sentences import TaggedBatch, most_tokens
from trainer.tagger.linear.tag_scores import ChainWeights, look_up, table

MAX_WEIGHTS = 4_000_000
"""The largest number of attributes times tags: many tags share it."""

PENALTIES = (0.1, 0.03)
"""Strengths of the L2 penalty, strongest first."""

FOLDS = 3
WORK_COMPARED = 10_000_000
"""The penalty is chosen with about so much work for each fit; see `sentences.MAX_WORK`."""

_MAX_ITERATIONS = 150

_Weights = Mapping[tuple[str, str], float]


class FittedChain(NamedTuple):
    """A fitted chain.

    Attributes:
        weights: Its weights.
        penalty: The chosen strength of the L2 penalty.
    """

    weights: ChainWeights
    penalty: float


def fit(
    train: Sequence[TaggedBatch], evaluated: Sequence[TaggedBatch], tags: int, *, backward: bool = True
) -> FittedChain | None:
    """Fits the chain, with the penalty that gives the most held-out tokens their tag.

    These are the tokens of the eval split, and each third of the train split, of which the rest does not know. The
    loss would choose a stronger penalty, which turns rare tags into the most frequent one.

    Args:
        train: Batches of the train split.
        evaluated: Batches of the eval split.
        tags: Number of tags.
        backward: As in `log_marginals`.

    Returns:
        The chain; None if the train split has no tokens.
    """
    tokens = _tokens(train)
    if not tokens:
        return None
    compared = _every(train, math.ceil(tokens / most_tokens(WORK_COMPARED, tags)))
    sides = [side for side in ((compared, evaluated), *_folds(compared)) if _tokens(side[0])]

    def correct(penalty: float, known: Sequence[TaggedBatch], held: Sequence[TaggedBatch]) -> int:
        return count_correct(weights_of(known, tags, penalty), held, backward=backward)

    work = [(penalty, *side) for penalty in PENALTIES for side in sides]
    # CRFsuite computes outside the interpreter's lock.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = np.array(list(pool.map(correct, *zip(*work, strict=True)))).reshape(len(PENALTIES), len(sides))
    penalty = PENALTIES[int(found.sum(1).argmax())]
    return FittedChain(weights_of(train, tags, penalty), penalty)


def count_correct(weights: ChainWeights, batches: Sequence[TaggedBatch], *, backward: bool = True) -> int:
    """Returns how many tokens have their tag in the most probable sequence."""
    keys, scores = table(weights)
    pairs = tf.constant(weights.pairs)
    return sum(
        int(_correct(*map(tf.constant, (batch.keys, batch.tags, batch.steps)), keys, scores, pairs, backward))
        for batch in batches
    )


@tf.function(reduce_retracing=True, autograph=False)
def _correct(
    found: tf.Tensor,
    tags: tf.Tensor,
    steps: tf.Tensor,
    keys: tf.Tensor,
    scores: tf.Tensor,
    pairs: tf.Tensor,
    backward: bool,
) -> tf.Tensor:
    best = best_tags(look_up(found, keys, scores), steps, pairs, backward=backward)
    return tf.math.count_nonzero(steps & tf.equal(best, tags))


def weights_of(batches: Sequence[TaggedBatch], tags: int, penalty: float) -> ChainWeights:
    """Fits a chain with a penalty; CRFsuite is deterministic.

    The attributes are those of the most tokens, if there are too many. A tag without tokens is nearly impossible.
    """
    tokens = np.concatenate([batch.keys[batch.steps] for batch in batches])
    given = np.concatenate([batch.tags[batch.steps] for batch in batches])
    keys, places, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    places = places.reshape(tokens.shape)
    frequent = most_frequent(counts, width(tags))
    names = np.array([str(number) for number in range(len(keys))], object)
    items = [names[row[frequent[row]]].tolist() for row in places]
    bounds = np.cumsum([0, *(size for batch in batches for size in batch.length.tolist())]).tolist()
    state, between = _trained(
        ((items[start:stop], [str(tag) for tag in given[start:stop]]) for start, stop in itertools.pairwise(bounds)),
        penalty,
    )
    scores, pairs = np.zeros([len(keys), tags], np.float32), np.zeros([tags, tags], np.float32)
    for (name, tag), weight in state.items():
        scores[int(name), int(tag)] = weight
    for (one, other), weight in between.items():
        pairs[int(one), int(other)] = weight
    # Every token has the last attribute.
    scores[places[:1, -1], np.bincount(given, minlength=tags) == 0] = math.log(MIN_PROBABILITY)
    used = scores.any(1)
    return ChainWeights(keys[used], scores[used], pairs)


def width(tags: int) -> int:
    """Returns how many attributes a chain has at most."""
    return max(1, MAX_WEIGHTS // tags)


def most_frequent(counts: NDArray[np.int64], number: int) -> NDArray[np.bool_]:
    """Marks so many of the largest counts, earlier ones first."""
    marks = np.zeros(len(counts), bool)
    marks[np.argsort(-counts, kind="stable")[:number]] = True
    return marks


def _trained(sentences: Iterable[tuple[list[list[str]], list[str]]], penalty: float) -> tuple[_Weights, _Weights]:
    """Returns the weights of attributes with tags, and of pairs of tags, by their names."""
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params(
        {"c1": 0.0, "c2": penalty, "max_iterations": _MAX_ITERATIONS, "feature.possible_transitions": True}
    )
    for items, tags in sentences:
        if tags:
            trainer.append(pycrfsuite.ItemSequence(items), tags)
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(f"{folder}/crf")
        tagger = pycrfsuite.Tagger()
        tagger.open(f"{folder}/crf")
        try:
            info = tagger.info()
        finally:
            tagger.close()
    return info.state_features, info.transitions


def _tokens(batches: Sequence[TaggedBatch]) -> int:
    return sum(int(batch.length.sum()) for batch in batches)


def _every(batches: Sequence[TaggedBatch], step: int) -> list[TaggedBatch]:
    """Returns every n-th sentence."""
    return [batch.take(marks) for batch, marks in _marked(batches, step, 0)]


def _folds(batches: Sequence[TaggedBatch]) -> Iterator[tuple[list[TaggedBatch], list[TaggedBatch]]]:
    """Yields the sentences without every n-th one, and these; neighbors in a batch have similar lengths."""
    for fold in range(FOLDS):
        pairs = list(_marked(batches, FOLDS, fold))
        yield [batch.take(~held) for batch, held in pairs], [batch.take(held) for batch, held in pairs]


def _marked(batches: Sequence[TaggedBatch], step: int, rest: int) -> Iterator[tuple[TaggedBatch, NDArray[np.bool_]]]:
    """Yields each batch with marks at every n-th sentence of all."""
    seen = 0
    for batch in batches:
        numbers = np.arange(seen, seen := seen + len(batch.length))
        yield batch, numbers % step == rest
