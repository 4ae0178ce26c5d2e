"""The tagger's context, and its loss by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from trainer.tagger import model as tagger
from trainer.tagger.settings import TaggerSettings
from trainer.tagger.training import TagHead

HEAD = TagHead(TaggerSettings(), "abc")


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_right_context_matters_only_if_bidirectional(bidirectional: bool) -> None:
    model = tagger.build(TaggerSettings(bidirectional=bidirectional, embedding=4, units=3), 12, 3)
    first, second = (
        model([tf.constant([row], tf.int64), tf.constant([3], tf.int64)], training=False).numpy()[0, 1]
        for row in ([4, 5, 6], [4, 5, 7])
    )
    assert np.array_equal(first, second) != bidirectional


def batch(tokens: list[list[int]], length: list[int], tags: list[list[int]]) -> dict[str, tf.Tensor]:
    values = {"tokens": tokens, "length": length, "tags": tags}
    return {name: tf.constant(value, tf.int64) for name, value in values.items()}


def test_the_loss_counts_tag_0_but_not_padding() -> None:
    # A batch gives a sentence without tokens the length 1, a token <pad>, and the tag that pads, 0.
    _, weights, _ = HEAD.judge(batch([[0, 0], [4, 5]], [1, 2], [[0, 0], [0, 1]]), tf.zeros([2, 2, 3]))
    assert weights.numpy().tolist() == [[0, 0], [1, 1]]
    lengths = tagger.real_lengths(tf.constant([[0], [4]], tf.int64), tf.constant([1, 1], tf.int64))
    assert lengths.numpy().tolist() == [0, 1]
    logits = np.log([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], [[0.2, 0.2, 0.6], [0.9, 0.05, 0.05]]]).astype(np.float32)
    losses, weights, correct = HEAD.judge(batch([[5, 6], [7, 0]], [2, 1], [[0, 2], [1, 0]]), logits)
    np.testing.assert_allclose(weights, [[1, 1], [1, 0]])
    np.testing.assert_allclose((losses * weights), [[math.log(2), math.log(10)], [math.log(5), 0]], rtol=1e-5)
    assert correct.numpy()[:, 0].tolist() == [True, False]
    assert not correct[0, 1]
    smoothed, _, _ = HEAD.judge(batch([[5]], [1], [[0]]), logits[:1, :1], smoothing=0.3)
    expected = -(0.8 * math.log(0.5) + 0.2 * math.log(0.25))
    np.testing.assert_allclose(smoothed, [[expected]], rtol=1e-5)
