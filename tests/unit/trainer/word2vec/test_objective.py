"""Losses and updates of a step against loops over pairs in NumPy, and against automatic differentiation."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.word2vec import windows
from trainer.word2vec.losses import StepOutcome
from trainer.word2vec.model import lookup, make_objective
from trainer.word2vec.settings import Word2vecSettings

WORDS, TOKENS, DIMENSIONS = 20, 64, 7
COUNTS = np.sort(np.random.default_rng(1).integers(1, 50, WORDS))[::-1].copy()
MODELS = [(model, loss) for model in ("skipgram", "cbow") for loss in ("negative_sampling", "hierarchical_softmax")]


class Case:
    """Random vectors and a random step of several documents, some of them shorter than the window."""

    def __init__(self, settings: Word2vecSettings, rows: int = WORDS, seed: int = 1, groups: int = 2) -> None:
        random = np.random.default_rng(seed)
        self.settings = settings
        tree = settings.loss == "hierarchical_softmax"
        self.inputs = tf.Variable(random.normal(size=(rows, settings.dimensions)), dtype=tf.float32)
        outputs = random.normal(size=(WORDS - tree, settings.dimensions))
        self.outputs = tf.Variable(outputs, dtype=tf.float32)
        words = random.integers(0, WORDS, TOKENS).astype(np.int32)
        documents = np.repeat(np.arange(9), [1, 17, 2, 3, 12, 20, 1, 5, 3])
        reach = random.integers(1, settings.window + 1, TOKENS).astype(np.int32)
        left, right = windows.extents(tf.constant(documents), tf.constant(reach))
        noise = random.integers(0, WORDS, (groups, settings.shared_negatives)).astype(np.int32)
        self.step = {**windows.frames(tf.constant(words), left, right, settings.window), "noise": tf.constant(noise)}
        self.flat = words, left.numpy(), right.numpy(), noise

    def outcome(self, rate: float, counts: np.ndarray = COUNTS) -> StepOutcome:
        objective = make_objective(self.settings, counts)
        return objective(self.step, lookup(self.inputs), lookup(self.outputs), rate)


def settings_of(model: str, loss: str, **values) -> Word2vecSettings:
    return Word2vecSettings.model_validate(
        {"model": model, "loss": loss, "dimensions": DIMENSIONS, "shared_negatives": 9, **values}
    )


def summed(table: tf.Variable, *updates) -> np.ndarray:
    """What updates add to a table, with repeated rows summed."""
    total = np.zeros(table.shape)
    for rows, delta in updates:
        np.add.at(total, rows.numpy(), delta.numpy())
    return total


def require_equal(case: Case, outcome: StepOutcome, expected: tuple[np.ndarray, ...], atol: float = 1e-4) -> None:
    """Compares losses, and what is added to each table."""
    assert outcome.losses.shape == (TOKENS // windows.BLOCK, windows.BLOCK)
    np.testing.assert_allclose(outcome.losses.numpy().ravel(), expected[0], rtol=1e-4, atol=atol)
    np.testing.assert_allclose(summed(case.inputs, outcome.input), expected[1], atol=atol)
    np.testing.assert_allclose(summed(case.outputs, *outcome.output), expected[2], atol=atol)


CASES = [(*names, {"window": window}, 2) for names in MODELS for window in (1, 2, 5, 7)]
# Each prediction has as many negatives, however many are drawn and shared.
CASES += [
    (model, "negative_sampling", {"window": 3, "negatives": negatives, "shared_negatives": shared}, groups)
    for model in ("skipgram", "cbow")
    for negatives, shared, groups in ((1, 1, 1), (5, 1, 4), (2, 40, 2))
]


@pytest.mark.parametrize(("model", "loss", "values", "groups"), CASES)
def test_a_step_equals_its_pairs_one_by_one(model: str, loss: str, values: dict, groups: int, pair_by_pair) -> None:
    case = Case(settings_of(model, loss, **values), groups=groups)
    expected = pair_by_pair(case.settings, COUNTS, case.inputs, case.outputs).step(*case.flat, 0.3)
    require_equal(case, case.outcome(0.3), expected)


@pytest.mark.parametrize("words", [999, 1_000])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_negatives_may_be_the_predicted_word_only_among_many_words(model: str, words: int, pair_by_pair) -> None:
    counts = np.arange(words, 0, -1)
    case = Case(settings_of(model, "negative_sampling", window=2, shared_negatives=30))
    reference = pair_by_pair(case.settings, counts, case.inputs, case.outputs)
    require_equal(case, case.outcome(0.1, counts), reference.step(*case.flat, 0.1), atol=2e-4)


@pytest.mark.parametrize("rate", [0.1, 2.0])
@pytest.mark.parametrize(("model", "loss"), MODELS)
def test_updates_follow_the_negative_gradient_of_the_loss(model: str, loss: str, rate: float) -> None:
    case = Case(settings_of(model, loss, window=4), seed=2)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(case.outcome(0.0).losses)
    gradients = [tf.convert_to_tensor(g).numpy() for g in tape.gradient(total, [case.inputs, case.outputs])]
    outcome = case.outcome(rate)
    np.testing.assert_allclose(summed(case.outputs, *outcome.output), -rate * gradients[1], atol=1e-4)
    # With CBOW words of a window get more than their gradient, as in word2vec.c.
    if model == "skipgram":
        np.testing.assert_allclose(summed(case.inputs, outcome.input), -rate * gradients[0], atol=1e-4)


@pytest.mark.parametrize(("model", "loss"), MODELS)
def test_large_logits_keep_losses_and_updates_finite(model: str, loss: str, pair_by_pair) -> None:
    case = Case(settings_of(model, loss, window=2))
    case.inputs.assign(case.inputs * 100)
    expected = pair_by_pair(case.settings, COUNTS, case.inputs, case.outputs).step(*case.flat, 0.1)
    assert max(expected[0]) > 500  # The exponential of such a logit is above float32.
    require_equal(case, case.outcome(0.1), expected, atol=1e-2)
