"""The classifier against a forward pass in NumPy, and its indifference to batches and padding."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.recurrent import encoder

VOCABULARY, CLASSES = 12, 3
ROWS = [[4, 5, 6, 7, 8, 9], [11], [7, 7, 4], [5, 0, 1, 10]]
LABELS = [0, 2, 1, 1]


class Built(NamedTuple):
    settings: ClassifierSettings
    model: keras.Model
    weights: dict[str, np.ndarray]
    step: tf.types.experimental.GenericFunction


@pytest.fixture(
    scope="module",
    params=list(itertools.product(["lstm", "gru"], [True, False], ["max+mean", "last"])),
    ids=lambda values: "-".join(map(str, values)),
)
def built(request: pytest.FixtureRequest) -> Built:
    cell, bidirectional, pooling = request.param
    bigrams = {"buckets": 50, "width": 2} if bidirectional else None
    settings = ClassifierSettings(
        cell=cell, bidirectional=bidirectional, pooling=pooling, embedding=4, units=3, bigrams=bigrams
    )
    model = classifier.build(settings, VOCABULARY, CLASSES)
    random = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(random.normal(scale=0.5, size=weight.shape))
    weights = {weight.path: weight.numpy() for weight in model.trainable_variables}
    variables = [weight.value for weight in model.trainable_variables]

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int64), *[tf.TensorSpec([None], tf.int64)] * 2],
        reduce_retracing=True,
    )
    def step(tokens: tf.Tensor, length: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Logits, losses and the gradients of the first document's loss."""
        with tf.GradientTape() as tape:
            logits = model([tokens, length], training=False)
            losses = classifier.loss(label, logits)
            first = losses[0]
        return logits, losses, [tf.convert_to_tensor(g) for g in tape.gradient(first, variables)]

    return Built(settings, model, weights, step)


def run(built: Built, numbers: list[int], extra: int = 0, filler: int = 0) -> tuple[np.ndarray, np.ndarray, list]:
    width = max(len(ROWS[number]) for number in numbers) + extra
    tokens = [ROWS[number] + [filler] * (width - len(ROWS[number])) for number in numbers]
    length = [len(ROWS[number]) for number in numbers]
    logits, losses, gradients = built.step(
        *(tf.constant(values, tf.int64) for values in (tokens, length, [LABELS[number] for number in numbers]))
    )
    return logits.numpy(), losses.numpy(), [gradient.numpy() for gradient in gradients]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(inputs: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    state, cell = np.zeros((2, len(recurrent)))
    states = []
    for x in inputs:
        i, f, c, o = np.split(x @ kernel + state @ recurrent + bias, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        state = sigmoid(o) * np.tanh(cell)
        states.append(state)
    return np.array(states)


def gru(inputs: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    state = np.zeros(len(recurrent))
    states = []
    for x in inputs:
        x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3)
        s_z, s_r, s_h = np.split(state @ recurrent + bias[1], 3)
        update = sigmoid(x_z + s_z)
        state = update * state + (1 - update) * np.tanh(x_h + sigmoid(x_r + s_r) * s_h)
        states.append(state)
    return np.array(states)


def forward(built: Built, row: list[int]) -> np.ndarray:
    """Logits of one document, without any padding."""

    def weight(*parts: str) -> np.ndarray:
        (found,) = [value for path, value in built.weights.items() if all(part in path for part in parts)]
        return found.astype(np.float64)

    def states(inputs: np.ndarray, direction: str) -> np.ndarray:
        kernel, recurrent, bias = (weight(direction, name) for name in ("cell/kernel", "recurrent_kernel", "cell/bias"))
        return {"lstm": lstm, "gru": gru}[built.settings.cell](inputs, kernel, recurrent, bias)

    inputs = weight("embedding/")[row]
    if built.settings.bidirectional:
        both = [states(inputs, "forward"), states(inputs[::-1], "backward")[::-1]]
    else:
        both = [states(inputs, "")]
    words = [inputs] if built.settings.pool_words else []
    joined = np.concatenate([*words, *both], axis=1)
    if built.settings.pooling == "last":
        ends = [both[0][-1], *(backward[0] for backward in both[1:])]
        document = np.concatenate(ends)
    else:
        document = np.concatenate([joined.max(axis=0), joined.mean(axis=0)])
    if built.settings.bigrams:
        pairs = [(first * 1_000_003 + second * 7_919) % 50 for first, second in itertools.pairwise(row)]
        total = weight("bigrams/table")[pairs].sum(axis=0) if pairs else np.zeros(2)
        document = np.concatenate([document, total / max(len(pairs), 1) ** 0.5])
    return document @ weight("logits", "kernel") + weight("logits", "bias")


def test_logits_are_those_of_the_forward_pass_in_numpy(built: Built) -> None:
    logits, losses, _ = run(built, [0, 1, 2, 3])
    expected = np.array([forward(built, row) for row in ROWS])
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    likelihoods = np.exp(expected)[range(len(ROWS)), LABELS] / np.exp(expected).sum(axis=1)
    np.testing.assert_allclose(losses, -np.log(likelihoods), atol=1e-5)


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_a_document_depends_neither_on_its_batch_nor_on_padding(built: Built, number: int) -> None:
    others = [other for other in range(len(ROWS)) if other != number]
    alone = run(built, [number])
    assert any(np.abs(gradient).max() > 1e-3 for gradient in alone[2])
    for logits, losses, gradients in (
        run(built, [number, *others]),
        run(built, [number], extra=7),
        run(built, [number, *others], extra=3, filler=9),
    ):
        np.testing.assert_allclose(logits[0], alone[0][0], atol=1e-5)
        np.testing.assert_allclose(losses[0], alone[1][0], atol=1e-5)
        for gradient, expected in zip(gradients, alone[2], strict=True):
            np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_pooling_ignores_the_padding_even_of_negative_states() -> None:
    states = np.random.default_rng(1).normal(size=(3, 5, 2)).astype(np.float32) - 5
    lengths = [5, 1, 3]
    steps = np.arange(5) < np.array(lengths)[:, None]
    pooled = classifier.MaskedPooling()(np.where(steps[..., None], states, 9), steps).numpy()
    expected = [
        np.concatenate([row[:length].max(axis=0), row[:length].mean(axis=0)])
        for row, length in zip(states, lengths, strict=True)
    ]
    np.testing.assert_allclose(pooled, expected, rtol=1e-6)


def test_the_mask_marks_the_steps_before_the_length() -> None:
    mask = encoder.LengthMask()(tf.zeros([3, 4], tf.int64), tf.constant([4, 1, 2], tf.int64))
    assert mask.numpy().tolist() == [[True] * 4, [True, False, False, False], [True, True, False, False]]


def test_dropout_is_for_training_alone() -> None:
    model = classifier.build(ClassifierSettings(embedding=4, units=3, dropout=0.5), VOCABULARY, CLASSES)
    inputs = [tf.constant([ROWS[0]], tf.int64), tf.constant([6], tf.int64)]
    fixed = [model(inputs, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*fixed)
    drawn = [model(inputs, training=True).numpy().tobytes() for _ in range(4)]
    assert len(set(drawn)) > 1


def test_word_dropout_replaces_words_by_unknown_ones_in_training_alone() -> None:
    layer = encoder.WordDropout(0.3)
    tokens = tf.reshape(tf.range(4, 4004, dtype=tf.int64), [40, 100])
    found = layer(tokens, training=True)
    dropped = (found != tokens).numpy()
    assert found.dtype == tf.int64
    assert set(found.numpy()[dropped]) == {1}
    assert dropped.mean() == pytest.approx(0.3, abs=0.05)
    assert not np.array_equal(layer(tokens, training=True), found)
    np.testing.assert_array_equal(layer(tokens, training=False), tokens)
    np.testing.assert_array_equal(encoder.WordDropout(0.0)(tokens, training=True), tokens)


def test_a_smoothed_loss_is_the_cross_entropy_with_the_smoothed_target() -> None:
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0]], np.float32)
    target = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    likelihoods = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = classifier.loss(tf.constant([0, 2], tf.int64), tf.constant(logits), smoothing=0.3)
    np.testing.assert_allclose(found, -(target * np.log(likelihoods)).sum(axis=1), rtol=1e-5)
