"""Recurrent layers against NumPy on sequences of different lengths, their dropout and initial weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.recurrent.encoder import LengthMask
from trainer.recurrent.settings import RecurrentSettings
from trainer.recurrent.stack import stack

WIDTH, LENGTHS = 4, [5, 1, 3]


def model_of(settings: RecurrentSettings, return_sequences: bool = True) -> keras.Model:
    vectors, length = keras.Input([None, WIDTH]), keras.Input([], dtype="int64")
    steps = LengthMask()(vectors, length)
    return keras.Model([vectors, length], stack(settings, vectors, steps, return_sequences=return_sequences))


def run(model: keras.Model, vectors: np.ndarray, lengths: list[int], training: bool = False) -> np.ndarray:
    return model([tf.constant(vectors), tf.constant(lengths, tf.int64)], training=training).numpy()


def padded(extra: int = 0) -> np.ndarray:
    """Sequences, float32 [3, time, WIDTH], with non-zero padding."""
    vectors = np.full([3, max(LENGTHS) + extra, WIDTH], 7, np.float32)
    random = np.random.default_rng(1)
    for row, length in enumerate(LENGTHS):
        vectors[row, :length] = random.normal(size=[length, WIDTH])
    return vectors


CASES = {
    "lstm": {"cell": "lstm"},
    "lstm forward": {"cell": "lstm", "bidirectional": False},
    "gru": {"cell": "gru"},
    "gru forward": {"cell": "gru", "bidirectional": False},
    "rnn": {"cell": "rnn"},
    "rnn forward": {"cell": "rnn", "bidirectional": False},
    "relu": {"cell": "rnn", "activation": "relu", "recurrent_initializer": "identity", "merge": "sum"},
    "product": {"cell": "gru", "merge": "mul", "layers": 2},
    "normalized": {"cell": "lstm", "merge": "ave", "layers": 2, "layer_norm": True},
    "dropout": {"cell": "gru", "recurrent_dropout": 0.5, "input_dropout": 0.5, "output_dropout": 0.5},
    "deep": {"cell": "gru", "layers": 4, "residual": True, "layer_norm": True},
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_states_match_numpy_at_all_steps_and_at_true_lengths(values, recurrent_reference, randomized) -> None:
    settings = RecurrentSettings(units=3, **values)
    model = model_of(settings)
    weight = randomized(model)
    expected = [recurrent_reference(settings, weight, row[:n]) for row, n in zip(padded(), LENGTHS, strict=True)]
    for extra in (0, 4):
        found = run(model, padded(extra), LENGTHS)
        for row, (states, _) in enumerate(expected):
            np.testing.assert_allclose(found[row, : LENGTHS[row]], states, atol=1e-5)
    if not settings.residual:
        ends = model_of(settings, return_sequences=False)
        ends.set_weights(model.get_weights())
        found = run(ends, padded(extra=2), LENGTHS)
        np.testing.assert_allclose(found, [last for _, last in expected], atol=1e-5)


def test_layers_are_numbered_and_the_first_is_named_like_a_single_one() -> None:
    names = [layer.name for layer in model_of(RecurrentSettings(layers=3, layer_norm=True, residual=True)).layers]
    expected = ["bidirectional_gru", "gru_norm", "bidirectional_gru_2", "gru_2_norm", "bidirectional_gru_3"]
    assert names[-6:] == [*expected, "gru_3_residual"]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_uniform_weights_fill_their_range_and_differ_by_direction(cell: str) -> None:
    values = {"kernel_initializer": "uniform", "recurrent_initializer": "uniform", "uniform_scale": 0.3}
    both = model_of(RecurrentSettings(cell=cell, units=32, **values)).get_layer(f"bidirectional_{cell}")
    kernels = [
        kernel.numpy()
        for layer in (both.forward_layer, both.backward_layer)
        for kernel in (layer.cell.kernel, layer.cell.recurrent_kernel)
    ]
    for kernel in kernels:
        assert 0.25 < np.abs(kernel).max() <= 0.3
        assert kernel.std() == pytest.approx(0.3 / np.sqrt(3), rel=0.1)
    assert not np.array_equal(kernels[0], kernels[2])
    assert not np.array_equal(kernels[1], kernels[3])


def test_orthogonal_and_glorot_initial_weights_and_forget_biases_of_1() -> None:
    values = {"kernel_initializer": "orthogonal", "recurrent_initializer": "glorot"}
    cell = model_of(RecurrentSettings(cell="rnn", units=8, bidirectional=False, **values)).get_layer("rnn").cell
    np.testing.assert_allclose(cell.kernel.numpy() @ cell.kernel.numpy().T, np.eye(WIDTH), atol=1e-5)
    assert np.abs(cell.recurrent_kernel).max() <= np.sqrt(6 / 16)
    lstm = model_of(RecurrentSettings(cell="lstm", units=2, bidirectional=False)).get_layer("lstm").cell
    np.testing.assert_array_equal(lstm.bias, [0, 0, 1, 1, 0, 0, 0, 0])
    by_default = model_of(RecurrentSettings(cell="rnn", units=8, bidirectional=False)).get_layer("rnn").cell
    recurrent = by_default.recurrent_kernel.numpy()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(8), atol=1e-5)


def copying(values: dict, units: int = 64) -> keras.Model:
    """An RNN whose state is the sum of all inputs so far."""
    plain = {"cell": "rnn", "bidirectional": False, "activation": "linear", "recurrent_initializer": "identity"}
    model = model_of(RecurrentSettings(units=units, **plain, **values))
    model.get_layer("rnn").cell.kernel.assign(np.ones([WIDTH, units]))
    return model


def test_recurrent_dropout_has_one_mask_per_sequence_for_all_steps() -> None:
    model = copying({"recurrent_dropout": 0.5})
    inputs = np.zeros([2, 4, WIDTH], np.float32)
    inputs[:, 0, 0] = 1
    states = run(model, inputs, [4, 4], training=True)
    # A state that is kept doubles at each step; one that is dropped is gone from the second step on.
    kept = states[:, 1] > 0
    for step in range(1, 4):
        np.testing.assert_allclose(states[:, step], np.where(kept, 2.0**step, 0))
    assert 0.25 < kept.mean() < 0.75
    assert not np.array_equal(kept[0], kept[1])
    assert not np.array_equal(kept, run(model, inputs, [4, 4], training=True)[:, 1] > 0)
    np.testing.assert_allclose(run(model, inputs, [4, 4]), np.ones([2, 4, 64]))


def test_input_and_output_dropout_are_drawn_at_each_step() -> None:
    ones = np.ones([1, 50, WIDTH], np.float32)
    given = run(copying({"output_dropout": 0.5}), ones, [50], training=True)[0]
    kept = given != 0
    np.testing.assert_allclose(given, np.where(kept, 2 * WIDTH * np.arange(1, 51)[:, np.newaxis], 0))
    assert kept.mean() == pytest.approx(0.5, abs=0.1)
    assert not np.array_equal(kept[0], kept[1])
    states = run(copying({"input_dropout": 0.5}), ones, [50], training=True)[0]
    read = np.diff(states[:, 0])
    assert set(np.round(read)) <= {0, 2, 4, 6, 8}
    assert len(set(np.round(read))) > 2
