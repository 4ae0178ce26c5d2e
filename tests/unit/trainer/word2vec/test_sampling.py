"""Draws against distributions that are worked out in NumPy, and against gensim's."""

import numpy as np
import pytest
import tensorflow as tf
from gensim.models import Word2Vec
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trainer.errors import JobError
from trainer.word2vec.sampling import NoiseTable, keep_probabilities, subsample

COUNTS = np.array([9_000, 2_500, 1_200, 0, 700, 700, 90, 10, 0, 1, 0])
# A true distribution fails with this probability; the seeds are fixed, so it does not fail by chance.
IMPROBABLE = 1e-3


def require_drawn_from(drawn: np.ndarray, probabilities: np.ndarray) -> None:
    observed = np.bincount(drawn.ravel(), minlength=len(probabilities))
    possible = probabilities > 0
    assert not observed[~possible].any()
    assert stats.chisquare(observed[possible], probabilities[possible] * drawn.size).pvalue > IMPROBABLE


@pytest.mark.parametrize("threshold", [1e-1, 1e-2, 1e-3, 1e-5])
def test_keep_probabilities_match_gensim(threshold: float) -> None:
    counts = COUNTS[COUNTS > 0]
    model = Word2Vec(min_count=1, sample=threshold)
    model.build_vocab_from_freq({f"w{row}": int(count) for row, count in enumerate(counts)})
    integers = [model.wv.get_vecattr(f"w{row}", "sample_int") for row in range(len(counts))]
    np.testing.assert_allclose(keep_probabilities(counts, threshold), np.array(integers) / (2**32 - 1), rtol=1e-6)


def test_without_a_threshold_or_counts_all_words_are_kept() -> None:
    np.testing.assert_array_equal(keep_probabilities(np.zeros(2, np.int64), 1e-3), [1, 1])
    np.testing.assert_array_equal(keep_probabilities(COUNTS, None), np.ones(len(COUNTS), np.float32))
    assert subsample(tf.range(3, dtype=tf.int64), keep_probabilities(COUNTS, None), [1, 2]).numpy().all()


def test_occurrences_are_kept_with_their_probability() -> None:
    keep = np.array([0.05, 0.5, 0.9, 1.0, 0.0], np.float32)
    ids = tf.reshape(tf.repeat(tf.range(5, dtype=tf.int64), 20_000), [10, -1])
    kept = subsample(ids, keep, tf.constant([3, 4])).numpy()
    assert kept.dtype == bool
    assert kept.shape == (10, 10_000)
    kept = kept.reshape(5, -1).sum(axis=1)
    for number, probability in zip(kept[:3], keep[:3], strict=True):
        assert stats.binomtest(int(number), 20_000, float(probability)).pvalue > IMPROBABLE
    assert kept[3:].tolist() == [20_000, 0]


def test_draws_depend_only_on_the_seed() -> None:
    table, keep = NoiseTable(COUNTS, 0.75), np.full(9, 0.5, np.float32)
    ids = tf.zeros([200], tf.int64)

    def drawn(seed: list[int]) -> list[int]:
        return [*table.draw(200, seed).numpy(), *subsample(ids, keep, seed).numpy()]

    tf.random.set_seed(1)
    first = drawn([1, 2])
    tf.random.set_seed(2)
    assert drawn([1, 2]) == first
    for other in ([1, 3], [2, 2], [2, 1]):
        assert drawn(other) != first


@pytest.mark.parametrize("exponent", [0.75, 1.0, 0.0, -0.5])
def test_negatives_are_drawn_by_a_power_of_the_count(exponent: float) -> None:
    weights = np.array([float(count) ** exponent if count else 0.0 for count in COUNTS])
    drawn = NoiseTable(COUNTS, exponent).draw([300, 1_000], [5, 6])
    assert drawn.dtype == tf.int64
    assert drawn.shape == [300, 1_000]
    require_drawn_from(drawn.numpy(), weights / weights.sum())


def test_neighboring_draws_are_independent() -> None:
    counts = np.array([3, 2, 5])
    pairs = NoiseTable(counts, 1.0).draw([60_000, 2], [9, 9]).numpy() @ [3, 1]
    require_drawn_from(pairs, np.outer(counts, counts).ravel() / 100)


@pytest.mark.parametrize("counts", [[], [0], [0, 0, 0]])
def test_a_vocabulary_without_occurrences_is_an_error(counts: list[int]) -> None:
    with pytest.raises(JobError, match="no words to draw negatives from"):
        NoiseTable(np.array(counts, np.int64), 0.75)


@given(
    counts=st.lists(st.integers(0, 2**62), min_size=1, max_size=40).filter(any),
    exponent=st.floats(-2, 2),
    seed=st.integers(-(2**31), 2**31 - 1),
)
def test_only_words_that_occur_are_drawn(counts: list[int], exponent: float, seed: int) -> None:
    drawn = NoiseTable(np.array(counts), exponent).draw(64, [seed, 0]).numpy()
    assert np.array(counts)[drawn].all()
