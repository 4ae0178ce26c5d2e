"""Metrics of word vectors against SciPy and counts by hand."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from trainer.word2vec import metrics
from trainer.word2vec.metrics import Judgement, Judgements, rank_correlation

FEW = st.sampled_from([-1.0, 0.0, 0.1, 0.5, 7.25])
# SciPy overflows with numbers near the largest.
ANY = st.floats(-1e100, 1e100)
PAIRS = st.lists(st.tuples(FEW | ANY, FEW | ANY), min_size=2, max_size=40)


@given(PAIRS, st.randoms())
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_the_rank_correlation_matches_scipy_in_any_order(
    pairs: list[tuple[float, float]], order: random.Random
) -> None:
    one, mixed = (rank_correlation(*zip(*listed, strict=True)) for listed in (pairs, order.sample(pairs, len(pairs))))
    assert one == pytest.approx(scipy.stats.spearmanr(*zip(*pairs, strict=True)).statistic, abs=1e-12, nan_ok=True)
    assert one == mixed or (math.isnan(one) and math.isnan(mixed))


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0], [1.0, math.nan], [1.0, math.inf]])
def test_the_rank_correlation_of_too_few_equal_or_non_finite_values_is_undefined(values: list[float]) -> None:
    assert math.isnan(rank_correlation(values, range(len(values))))
    assert math.isnan(rank_correlation(range(len(values)), values))


def test_sums_of_many_ranks_stay_exact() -> None:
    values = np.random.default_rng(1).integers(0, 50_000, size=[2, 200_000])
    expected = scipy.stats.spearmanr(*values).statistic
    assert rank_correlation(*values) == pytest.approx(expected, abs=1e-12)


Figure = Callable[[Judgements], float]


def of(figure: Figure, *judged: Judgement) -> float:
    return figure(Judgements(rows=[tuple(one) for one in judged]))


def pairs(source: str, *scored: tuple[float, float], **values: float) -> list[Judgement]:
    return [Judgement("similarity", source, score, similarity=said, **values) for score, said in scored]


def analogies(source: str, *correct: float, **values: float) -> list[Judgement]:
    return [Judgement("analogy", source, correct=one, **values) for one in correct]


def documents(*losses: tuple[float, float]) -> list[Judgement]:
    return [Judgement("documents", "eval", loss=loss, pairs=number) for loss, number in losses]


RISING, FALLING = ((1, 0.1), (2, 0.2), (3, 0.3)), ((1, 0.3), (2, 0.2), (3, 0.1))
MIXED = ((1, 0.1), (2, 0.3), (3, 0.2))  # 1 - 6 * 2 / (3 * 8) = 0.5
HIGHER = [(score + 9, said) for score, said in RISING]
UNKNOWN = pairs("a", (9, 0.0), (8, 0.0), known=0)
OTHERS = [*analogies("q", 1), *documents((1.0, 1))]
SOLVED = [*analogies("a", 1, 0, 0), *analogies("b", 1), *analogies("a", 0, 0, known=0), *pairs("c", *MIXED)]


@pytest.mark.parametrize(
    ("figure", "judged", "expected"),
    [
        (metrics.spearman, pairs("a", *RISING), 1),
        (metrics.spearman, [*pairs("a", *RISING), *pairs("b", *FALLING)], 0),
        (metrics.spearman, [*pairs("a", *RISING), *pairs("b", *MIXED)], 0.75),
        # One set of all six pairs would have 0.37.
        (metrics.spearman, [*pairs("a", *RISING), *pairs("b", *HIGHER)], 1),
        # Unknown pairs, and sets of fewer than two known ones, are left out.
        (metrics.spearman, [*pairs("a", *RISING), *UNKNOWN], 1),
        (metrics.spearman, [*pairs("a", *RISING), *pairs("b", (1, 0.1)), *pairs("c", *RISING, known=0)], 1),
        (metrics.spearman, [*UNKNOWN, *OTHERS], math.nan),
        # A collapsed model has no correlation.
        (metrics.spearman, [*pairs("a", *RISING), *pairs("b", (1, 0.5), (2, 0.5))], math.nan),
        (metrics.spearman, [*pairs("a", *RISING), *pairs("b", (1, math.nan), (2, 0.5))], math.nan),
        # Analogies are counted over all sets.
        (metrics.analogy_accuracy, SOLVED, 2 / 4),
        (metrics.analogy_accuracy, pairs("c", *MIXED), math.nan),
        (metrics.analogy_accuracy, analogies("b", 0, known=0), math.nan),
        (metrics.coverage, [*pairs("a", *RISING), *analogies("b", 1, 0, known=0), *documents((0, 0))], 3 / 5),
        (metrics.coverage, documents((0, 0)), math.nan),
        # The loss is that of a pair of words.
        (metrics.held_out_loss, [*documents((6.0, 2), (3.0, 4), (0.0, 0)), *pairs("a", *RISING)], 9 / 6),
        (metrics.held_out_loss, documents((0.0, 0)), math.nan),
        (metrics.held_out_loss, documents((6.0, 2), (math.nan, 1)), math.nan),
    ],
)
def test_figures_match_those_computed_by_hand(figure: Figure, judged: list[Judgement], expected: float) -> None:
    assert of(figure, *judged) == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.floats(0, 1e9, width=32), min_size=1), st.randoms())
def test_the_loss_does_not_depend_on_the_order(losses: list[float], order: random.Random) -> None:
    judged = documents(*((loss, 3) for loss in losses))
    assert of(metrics.held_out_loss, *judged) == of(metrics.held_out_loss, *order.sample(judged, len(judged)))
