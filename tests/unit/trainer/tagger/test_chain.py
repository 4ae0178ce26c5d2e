"""The chain of tags against sums over every sequence."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.tagger.linear.chain import Chain, best_tags, log_marginals

TAGS = 3


def enumerated(scores: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The probability of each tag at each step, float [time, tags]."""
    totals = {}
    for tags in itertools.product(range(pairs.shape[0]), repeat=len(scores)):
        score = sum(scores[step, tag] for step, tag in enumerate(tags))
        totals[tags] = score + sum(pairs[one, other] for one, other in itertools.pairwise(tags))
    highest, found = max(totals.values()), np.zeros(scores.shape)
    for tags, score in totals.items():
        found[range(len(tags)), tags] += np.exp(score - highest)
    return found / found.sum(axis=1, keepdims=True)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=3),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([0.1, 2, 10]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_probabilities_are_sums_over_all_sequences(
    lengths: list[int], tags: int, backward: bool, spread: float, seed: int
) -> None:
    draw, width = np.random.default_rng(seed), max(lengths) + 1
    scores, pairs = (draw.normal(0, spread, shape) for shape in ([len(lengths), width, tags], [tags, tags]))
    steps = tf.sequence_mask(lengths, width)
    logs = log_marginals(tf.constant(scores, tf.float32), steps, tf.constant(pairs, tf.float32), backward=backward)
    assert np.isfinite(logs).all()
    for row, length in enumerate(lengths):
        for step in range(length):
            # Without the backward pass, the sentence ends at the step.
            known = enumerated(scores[row, : length if backward else step + 1], pairs)[step]
            np.testing.assert_allclose(np.exp(logs[row, step]), known, rtol=1e-3, atol=1e-5)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_tags_are_those_of_the_best_sequence(lengths: list[int], backward: bool, seed: int) -> None:
    draw, width = np.random.default_rng(seed), max(lengths) + 1
    scores, pairs = draw.normal(0, 3, [len(lengths), width, TAGS]), draw.normal(0, 3, [TAGS, TAGS])
    found = best_tags(tf.constant(scores), tf.sequence_mask(lengths, width), tf.constant(pairs), backward=backward)

    def best(known: np.ndarray) -> tuple[int, ...]:
        def score(tags: tuple[int, ...]) -> float:
            return known[range(len(tags)), tags].sum() + sum(pairs[pair] for pair in itertools.pairwise(tags))

        return max(itertools.product(range(TAGS), repeat=len(known)), key=score)

    for row, length in enumerate(lengths):
        ends = [best(scores[row, : step + 1])[-1] for step in range(length)]
        assert found[row, :length].numpy().tolist() == (list(best(scores[row, :length])) if backward else ends)


@pytest.mark.parametrize("backward", [True, False])
def test_without_scores_of_pairs_each_token_has_a_softmax(backward: bool) -> None:
    scores = tf.random.stateless_normal([2, 5, TAGS], [1, 2])
    found = log_marginals(scores, tf.sequence_mask([5, 2], 5), tf.zeros([TAGS, TAGS]), backward=backward)
    np.testing.assert_allclose(found, tf.nn.log_softmax(scores), atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 1), (0, 1), (0, 3)])
def test_a_batch_may_have_one_step_or_no_sentence(shape: tuple[int, int]) -> None:
    compiled = tf.function(
        log_marginals,
        [tf.TensorSpec([None, None, TAGS]), tf.TensorSpec([None, None], tf.bool), tf.TensorSpec([TAGS, TAGS])],
    )
    found = compiled(tf.ones([*shape, TAGS]), tf.ones(shape, tf.bool), tf.ones([TAGS, TAGS]))
    assert found.shape == (*shape, TAGS)
    np.testing.assert_allclose(tf.exp(found), np.full(found.shape, 1 / TAGS), rtol=1e-5)


def test_extreme_scores_leave_probabilities_and_gradients_finite() -> None:
    pairs = tf.constant([[60, -60, 0], [0, 0, 0], [-60, 60, 0]], tf.float32)
    scores = tf.constant([[[1e4, -1e4, 0], [-1e4, 1e4, 0], [0, 0, 0]]], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([scores, pairs])
        found = log_marginals(scores, tf.constant([[True, True, False]]), pairs)
        loss = tf.reduce_sum(found[:, 0, 0] + found[:, 1, 1])
    assert all(np.isfinite(values).all() for values in (found, *tape.gradient(loss, [scores, pairs])))
    assert float(loss) == pytest.approx(0, abs=1e-4)


def test_long_sentences_keep_their_precision() -> None:
    draw = np.random.default_rng(3)
    scores, pairs = draw.normal(0, 3, [1, 2_000, TAGS]), draw.normal(0, 2, [TAGS, TAGS])
    logs = log_marginals(
        *(tf.constant(part, tf.float32) for part in (scores,)),
        tf.ones([1, 2_000], tf.bool),
        tf.constant(pairs, tf.float32),
    )
    double = log_marginals(tf.constant(scores), tf.ones([1, 2_000], tf.bool), tf.constant(pairs))
    np.testing.assert_allclose(tf.exp(logs), tf.exp(double), atol=1e-5)


def test_the_layer_adds_weighted_scores_and_is_saved(tmp_path) -> None:
    draw, pairs = np.random.default_rng(4), np.eye(TAGS, dtype="f")
    one, other = (tf.constant(draw.normal(size=[2, 4, TAGS]), tf.float32) for _ in range(2))
    steps = tf.sequence_mask([4, 2], 4)
    inputs = [keras.Input([None, TAGS]), keras.Input([None, TAGS]), keras.Input([None], dtype="bool")]
    layer = Chain((0.25, 2.0), backward=True)
    model = keras.Model(inputs, layer(inputs[:2], inputs[2]))
    layer.fill(pairs)
    expected = log_marginals(0.25 * one + 2 * other, steps, tf.constant(pairs))
    logs, tags = model([one, other, steps])
    np.testing.assert_allclose(logs, expected, atol=1e-6)
    np.testing.assert_array_equal(tags, best_tags(0.25 * one + 2 * other, steps, tf.constant(pairs)))
    model.save(tmp_path / "chain.keras")
    again = keras.models.load_model(tmp_path / "chain.keras")([one, other, steps])
    for found, before in zip(again, (logs, tags), strict=True):
        np.testing.assert_array_equal(found, before)
    assert not model.trainable_variables
