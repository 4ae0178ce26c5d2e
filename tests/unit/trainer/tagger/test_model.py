"""The tagger's indifference to batches and padding, and its loss by hand."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.tagger import model as tagger
from trainer.tagger.settings import TaggerSettings
from trainer.tagger.training import TagHead

VOCABULARY, TAGS = 12, 3
HEAD = TagHead(TaggerSettings(), "abc")
ROWS = [[4, 5, 6, 7, 8, 9], [11], [7, 7, 4], [5, 1, 10, 10]]
WANTED = [[0, 1, 2, 0, 0, 1], [0], [2, 0, 1], [1, 1, 0, 2]]


class Built(NamedTuple):
    settings: TaggerSettings
    model: keras.Model
    step: tf.types.experimental.GenericFunction


@pytest.fixture(
    scope="module",
    params=list(itertools.product(["lstm", "gru"], [True, False])),
    ids=lambda values: "-".join(map(str, values)),
)
def built(request: pytest.FixtureRequest) -> Built:
    cell, bidirectional = request.param
    settings = TaggerSettings(cell=cell, bidirectional=bidirectional, embedding=4, units=3)
    model = tagger.build(settings, VOCABULARY, TAGS)
    random = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(random.normal(scale=0.5, size=weight.shape))
    variables = [weight.value for weight in model.trainable_variables]

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int64),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([None, None], tf.int64),
        ],
        reduce_retracing=True,
    )
    def step(tokens: tf.Tensor, length: tf.Tensor, tags: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Logits, weighted losses and the gradients of the first sentence's loss."""
        with tf.GradientTape() as tape:
            logits = model([tokens, length], training=False)
            losses, weights, _ = HEAD.judge({"tokens": tokens, "length": length, "tags": tags}, logits)
            losses *= weights
            first = tf.reduce_sum(losses[0])
        return logits, losses, [tf.convert_to_tensor(g) for g in tape.gradient(first, variables)]

    return Built(settings, model, step)


def run(built: Built, numbers: list[int], extra: int = 0, filler: int = 0) -> tuple[np.ndarray, np.ndarray, list]:
    """Answers for the first of the sentences, and its gradients."""
    width = max(len(ROWS[number]) for number in numbers) + extra
    rows, tags = (
        [part[n] + [filler % 3 if part is WANTED else filler] * (width - len(part[n])) for n in numbers]
        for part in (ROWS, WANTED)
    )
    length = [len(ROWS[number]) for number in numbers]
    logits, losses, gradients = built.step(*(tf.constant(values, tf.int64) for values in (rows, length, tags)))
    np.testing.assert_array_equal(losses[0, length[0] :], 0)
    return logits[0, : length[0]].numpy(), losses[0, : length[0]].numpy(), [gradient.numpy() for gradient in gradients]


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_a_sentence_depends_neither_on_its_batch_nor_on_padding(built: Built, number: int) -> None:
    others = [other for other in range(len(ROWS)) if other != number]
    alone = run(built, [number])
    assert any(np.abs(gradient).max() > 1e-3 for gradient in alone[2])
    for logits, losses, gradients in (
        run(built, [number, *others]),
        run(built, [number], extra=7),
        run(built, [number, *others], extra=3, filler=8),
    ):
        np.testing.assert_allclose(logits, alone[0], atol=1e-5)
        np.testing.assert_allclose(losses, alone[1], atol=1e-5)
        for gradient, expected in zip(gradients, alone[2], strict=True):
            np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_what_follows_tells_too_in_both_directions_alone(built: Built) -> None:
    first, second = (
        built.model([tf.constant([row], tf.int64), tf.constant([3], tf.int64)], training=False).numpy()[0, 1]
        for row in ([4, 5, 6], [4, 5, 7])
    )
    assert np.array_equal(first, second) != built.settings.bidirectional


def batch(tokens: list[list[int]], length: list[int], tags: list[list[int]]) -> dict[str, tf.Tensor]:
    values = {"tokens": tokens, "length": length, "tags": tags}
    return {name: tf.constant(value, tf.int64) for name, value in values.items()}


def test_the_loss_by_hand_counts_tag_0_and_no_padding() -> None:
    logits = np.log([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], [[0.2, 0.2, 0.6], [0.9, 0.05, 0.05]]]).astype(np.float32)
    losses, weights, correct = HEAD.judge(batch([[5, 6], [7, 0]], [2, 1], [[0, 2], [1, 0]]), logits)
    np.testing.assert_allclose(weights, [[1, 1], [1, 0]])
    np.testing.assert_allclose((losses * weights), [[math.log(2), math.log(10)], [math.log(5), 0]], rtol=1e-5)
    assert correct.numpy()[:, 0].tolist() == [True, False]
    assert not correct[0, 1]
    smoothed, _, _ = HEAD.judge(batch([[5]], [1], [[0]]), logits[:1, :1], smoothing=0.3)
    expected = -(0.8 * math.log(0.5) + 0.2 * math.log(0.25))
    np.testing.assert_allclose(smoothed, [[expected]], rtol=1e-5)


def test_a_sentence_without_tokens_has_no_weight() -> None:
    # A batch gives it the length 1, a token <pad>, and the tag that pads, 0.
    _, weights, _ = HEAD.judge(batch([[0, 0], [4, 5]], [1, 2], [[0, 0], [0, 1]]), tf.zeros([2, 2, 3]))
    assert weights.numpy().tolist() == [[0, 0], [1, 1]]
    assert tagger.real_lengths(tf.constant([[0], [4]], tf.int64), tf.constant([1, 1], tf.int64)).numpy().tolist() == [
        0,
        1,
    ]
