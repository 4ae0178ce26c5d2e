"""Metrics of word vectors for TensorFlow Model Analysis, over the records of EvaluationSets.

A model's signature gives for each record `similarity`, `correct`, `loss`, `pairs` and `known`, float32 [batch].
All figures are the same however Beam shards the records.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types

from components.evaluation_sets.question_records import GATES, SCORE
from trainer.data.features import SOURCE
from trainer.word2vec.judgement import ANALOGY, DOCUMENTS, SIMILARITY, TASK


class Judgement(NamedTuple):
    """What a record asks, and what a model says.

    Attributes:
        task: What is asked, `SIMILARITY`, `ANALOGY` or `DOCUMENTS`.
        source: The set.
        score: The pair's similarity as people see it.
        gates: 1 if gates rest on the set, else 0.
        known: 1 if the model knows all words, else 0.
        similarity: The pair's, as the model sees it.
        correct: 1 if the analogy's answer is right, else 0.
        loss: The held-out loss of the document, summed over its pairs of words.
        pairs: How many these are.
    """

    task: str
    source: str
    score: float = 0.0
    gates: float = 1.0
    known: float = 1.0
    similarity: float = 0.0
    correct: float = 0.0
    loss: float = 0.0
    pairs: float = 0.0


Figure = Callable[[Sequence[Judgement]], float]
"""From the judgements of a slice to a metric's value."""


def spearman(judged: Sequence[Judgement], *, gated: bool = False) -> float:
    """Returns the mean over the sets of each one's rank correlation between known pairs and people.

    A set with fewer than two known pairs has none, and counts only where it gates.

    Args:
        judged: The judgements.
        gated: Of the sets that gate alone, 1 where there are none.
    """
    sets: defaultdict[str, list[Judgement]] = defaultdict(list)
    for one in judged:
        if one.task == SIMILARITY and (one.gates or not gated):
            sets[one.source].append(one)
    if gated and not sets:
        return 1.0
    found = []
    for _, pairs in sorted(sets.items()):
        known = [pair for pair in pairs if pair.known]
        if gated or len(known) > 1:
            found.append(rank_correlation([pair.score for pair in known], [pair.similarity for pair in known]))
    return math.fsum(found) / len(found) if found else math.nan


def analogy_accuracy(judged: Sequence[Judgement], *, gated: bool = False) -> float:
    """Returns the share of the known analogies that are answered right.

    Args:
        judged: The judgements.
        gated: Of the sets that gate alone, 1 where there are none.
    """
    asked = [one for one in judged if one.task == ANALOGY and (one.gates or not gated)]
    if gated and not asked:
        return 1.0
    known = [one.correct for one in asked if one.known]
    return math.fsum(known) / len(known) if known else math.nan


def coverage(judged: Sequence[Judgement]) -> float:
    """Returns the share of the pairs and analogies that the model knows."""
    known = [one.known for one in judged if one.task != DOCUMENTS]
    return math.fsum(known) / len(known) if known else math.nan


def loss(judged: Sequence[Judgement]) -> float:
    """Returns the mean loss of the held-out documents' pairs of words."""
    documents = [one for one in judged if one.task == DOCUMENTS]
    pairs = math.fsum(one.pairs for one in documents)
    return math.fsum(one.loss for one in documents) / pairs if pairs else math.nan


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Returns Spearman's rank correlation, equal values sharing the mean of their ranks.

    It is undefined, NaN, of fewer than two pairs, where all values of a side are equal, or where one is NaN.

    Args:
        first: Values.
        second: As many, each paired with the one at its place.
    """
    if not np.isfinite([*first, *second]).all():
        return math.nan
    x, y = _centred_ranks(first), _centred_ranks(second)
    # Whole numbers: their sums do not depend on the order.
    spread = int(x @ x) * int(y @ y)
    return int(x @ y) / math.sqrt(spread) if spread else math.nan


def _centred_ranks(values: Sequence[float]) -> NDArray[np.int64]:
    """Twice the rank of each value less the mean rank, int64 [values], so that ties stay whole."""
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    twice_mean_rank = 2 * np.cumsum(counts) - counts + 1
    centred: NDArray[np.int64] = twice_mean_rank[places.reshape(-1)] - (len(values) + 1)
    return centred


class _JudgedMetric(metric_types.Metric):
    """A metric of judgements.

    Args:
        figure: Makes the value.
        name: The metric's name.
        code: A digest of the code that runs, so that edited code is not served from cache.
        options: More for `figure`.
    """

    def __init__(self, figure: Figure, name: str, code: str, **options: bool) -> None:
        super().__init__(functools.partial(_computations, figure), name=name, code=code, **options)


class Spearman(_JudgedMetric):
    """The figure `spearman`."""

    def __init__(self, name: str = "spearman", gated: bool = False, code: str = "") -> None:
        super().__init__(spearman, name, code, gated=gated)


class AnalogyAccuracy(_JudgedMetric):
    """The figure `analogy_accuracy`."""

    def __init__(self, name: str = "analogy_accuracy", gated: bool = False, code: str = "") -> None:
        super().__init__(analogy_accuracy, name, code, gated=gated)


class Coverage(_JudgedMetric):
    """The figure `coverage`."""

    def __init__(self, name: str = "coverage", code: str = "") -> None:
        super().__init__(coverage, name, code)


class HeldOutLoss(_JudgedMetric):
    """The figure `loss`."""

    def __init__(self, name: str = "loss", code: str = "") -> None:
        super().__init__(loss, name, code)


def _computations(
    figure: Figure, name: str, code: str, model_names: list[str] | None = None, **options: bool
) -> metric_types.MetricComputations:
    """Collects the judgements of each model, once for all metrics, and makes a figure of them."""
    del code
    computations: metric_types.MetricComputations = []
    for model in model_names or [""]:
        collected = metric_types.MetricKey(_COLLECTED, model_name=model)
        inputs = metric_types.StandardMetricInputsPreprocessor(_INPUTS, include_default_inputs=False)
        computations.append(metric_types.MetricComputation([collected], [inputs], _Collect(collected)))
        key = metric_types.MetricKey(name, model_name=model)
        result = functools.partial(_result, functools.partial(figure, **options), collected, key)
        computations.append(metric_types.DerivedMetricComputation([key], result))
    return computations


_COLLECTED = "_judgements"  # TFMA keeps to itself what starts so.
_FEATURES = (TASK, SOURCE, SCORE, GATES)
_OUTPUTS = Judgement._fields[len(_FEATURES) :]
_INPUTS: dict[str, dict[str, Any]] = {"features": {name: {} for name in _FEATURES}, "predictions": {}}
_Row = tuple[Any, ...]
"""A judgement as a plain tuple, which Beam moves faster."""


def _result(
    figure: Figure,
    collected: metric_types.MetricKey,
    key: metric_types.MetricKey,
    metrics: Mapping[metric_types.MetricKey, list[_Row]],
) -> dict[metric_types.MetricKey, float]:
    return {key: figure([Judgement(*row) for row in metrics[collected]])}


class _Collect(beam.CombineFn):
    """Lists the judgements of a model."""

    def __init__(self, key: metric_types.MetricKey) -> None:
        self._key = key

    def create_accumulator(self) -> list[_Row]:
        return []

    def add_input(self, accumulator: list[_Row], element: metric_types.StandardMetricInputs) -> list[_Row]:
        said, asked = element.get_predictions(self._key.model_name), element.get_features()
        texts = [asked[name].item().decode() for name in (TASK, SOURCE)]
        scores = [float(asked[name].item()) for name in (SCORE, GATES)]
        accumulator.append((*texts, *scores, *(float(said[name].item()) for name in _OUTPUTS)))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[_Row]]) -> list[_Row]:
        return list(itertools.chain.from_iterable(accumulators))

    def extract_output(self, accumulator: list[_Row]) -> dict[metric_types.MetricKey, list[_Row]]:
        return {self._key: accumulator}
