"""One step of each optimizer against its formula, and tables of which only some rows are updated."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.training.optimization import optimizers
from trainer.training.optimization.gradients import clip, distinct_rows
from trainer.training.settings import TrainingSettings

RATE = 0.1
START = np.array([[0.5, -1.0], [2.0, 0.25]])
GRADIENTS = [np.array([[0.3, -0.2], [0.0, 4.0]]), np.array([[-0.1, 0.5], [1.0, 0.0]])]


def adam(weights: np.ndarray, decay: float = 0.0, beta_1=0.9, beta_2=0.999) -> np.ndarray:
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for number, gradient in enumerate(GRADIENTS, 1):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient**2
        # Kingma and Ba, end of section 2: the corrections in the rate, epsilon added to the uncorrected root.
        rate = RATE * np.sqrt(1 - beta_2**number) / (1 - beta_1**number)
        weights = weights - RATE * decay * weights
        weights = weights - rate * mean / (np.sqrt(square) + 1e-7)
    return weights


def sgd(weights: np.ndarray, momentum: float = 0.0, nesterov: bool = False) -> np.ndarray:
    velocity = np.zeros_like(weights)
    for gradient in GRADIENTS:
        velocity = momentum * velocity - RATE * gradient
        weights = weights + (momentum * velocity - RATE * gradient if nesterov else velocity)
    return weights


def rmsprop(weights: np.ndarray, rho: float = 0.9, momentum: float = 0.0) -> np.ndarray:
    square, velocity = np.zeros_like(weights), np.zeros_like(weights)
    for gradient in GRADIENTS:
        square = rho * square + (1 - rho) * gradient**2
        velocity = momentum * velocity + RATE * gradient / np.sqrt(square + 1e-7)
        weights = weights - velocity
    return weights


def adagrad(weights: np.ndarray, start: float = 0.1) -> np.ndarray:
    total = np.full_like(weights, start)
    for gradient in GRADIENTS:
        total = total + gradient**2
        weights = weights - RATE * gradient / np.sqrt(total + 1e-7)
    return weights


CASES: list[tuple[str | dict, Callable[[np.ndarray], np.ndarray]]] = [
    ("adam", adam),
    ({"name": "adam", "beta_1": 0.5, "beta_2": 0.9}, lambda weights: adam(weights, 0, 0.5, 0.9)),
    ("adamw", lambda weights: adam(weights, 0.01)),
    ({"name": "adamw", "weight_decay": 0.5}, lambda weights: adam(weights, 0.5)),
    ("sgd", sgd),
    ({"name": "sgd", "momentum": 0.9}, lambda weights: sgd(weights, 0.9)),
    ({"name": "sgd", "momentum": 0.9, "nesterov": True}, lambda weights: sgd(weights, 0.9, True)),
    ("rmsprop", rmsprop),
    ({"name": "rmsprop", "rho": 0.5, "momentum": 0.9}, lambda weights: rmsprop(weights, 0.5, 0.9)),
    ("adagrad", adagrad),
    ({"name": "adagrad", "initial_accumulator": 1}, lambda weights: adagrad(weights, 1)),
]


@pytest.mark.parametrize(("optimizer", "reference"), CASES)
def test_two_steps_match_the_formula(optimizer: str | dict, reference: Callable[[np.ndarray], np.ndarray]) -> None:
    settings = TrainingSettings(optimizer=optimizer, learning_rate=RATE)
    variable, built = keras.Variable(START, dtype="float32"), optimizers.build(settings)
    built.build([variable])
    for gradient in GRADIENTS:
        built.apply([tf.constant(gradient, tf.float32)], [variable])
    # Powers of beta_2 are rounded in float32.
    np.testing.assert_allclose(variable.numpy(), reference(START), atol=2e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
def test_sparse_updates_match_updates_of_the_whole_table(optimizer: str) -> None:
    settings = TrainingSettings(optimizer=optimizer, learning_rate=RATE)
    assert optimizers.sparse_updates(settings)
    table, found = np.random.default_rng(1).normal(size=(6, 2)), []
    rows, values = tf.constant([4, 1, 4, 0, 4]), tf.constant(np.random.default_rng(2).normal(size=(5, 2)), tf.float32)
    for alone in (True, False):
        variable, built = keras.Variable(table, dtype="float32"), optimizers.build(settings)
        built.build([variable])
        for _ in range(2):
            gradient = tf.IndexedSlices(values, rows, tf.constant([6, 2]))
            built.apply([distinct_rows(gradient) if alone else tf.convert_to_tensor(gradient)], [variable])
        found.append(variable.numpy())
    np.testing.assert_allclose(*found, rtol=1e-6)
    np.testing.assert_array_equal(found[0][[2, 3, 5]], table[[2, 3, 5]].astype(np.float32))


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
def test_sparse_updates_compute_nothing_of_the_size_of_the_table(optimizer: str) -> None:
    settings = TrainingSettings(optimizer=optimizer, learning_rate=RATE)
    variable, built = keras.Variable(np.zeros((77, 2)), dtype="float32"), optimizers.build(settings)
    built.build([variable])

    @tf.function(input_signature=[tf.TensorSpec([5, 2]), tf.TensorSpec([5], tf.int32)])
    def step(values: tf.Tensor, rows: tf.Tensor) -> None:
        gradient = distinct_rows(tf.IndexedSlices(values, rows, tf.constant([77, 2])))
        built.apply(clip([gradient], 1.0)[0], [variable])

    operations = step.get_concrete_function().graph.get_operations()
    shapes = [output.shape for operation in operations for output in operation.outputs]
    assert not any(shape.rank == 2 and shape[0] == 77 for shape in shapes)


def test_which_optimizers_use_sparse_updates() -> None:
    names = ("adam", "adamw", "sgd", "rmsprop", "adagrad")
    taken = [name for name in names if optimizers.sparse_updates(TrainingSettings(optimizer=name))]
    assert taken == ["sgd", "adagrad"]
    assert not optimizers.sparse_updates(TrainingSettings(optimizer={"name": "sgd", "momentum": 0.9}))
    assert not optimizers.sparse_updates(TrainingSettings(optimizer="sgd", accumulate=2))


def test_the_norm_counts_the_sum_of_a_words_rows_once() -> None:
    # Counted separately, the two rows of word 1 would have a norm of the square root of 18.
    values = tf.constant([[3.0, 0.0], [3.0, 0.0]])
    gradient = tf.IndexedSlices(values, tf.constant([1, 1]), tf.constant([4, 2]))
    (clipped,), norm = clip([distinct_rows(gradient)], 3.0)
    assert float(norm) == pytest.approx(6)
    np.testing.assert_allclose(tf.convert_to_tensor(clipped), [[0, 0], [3, 0], [0, 0], [0, 0]], rtol=1e-6)
    (kept,), norm = clip([distinct_rows(gradient)], None)
    assert (float(norm), float(kept.values[0, 0])) == (6, 6)
