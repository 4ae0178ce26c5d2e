"""The classifier against a forward pass in NumPy."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.attention import explained
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.recurrent import encoder

VOCABULARY, CLASSES = 12, 3
ROWS = [[4, 5, 3, 7, 8, 9], [11], [2, 7, 7, 3, 3, 2, 4], [5, 0, 1, 10, 3]]
LABELS = [0, 2, 1, 1]
HIERARCHICAL = {"encoder": "hierarchical", "attention_units": 5}
FAST = {
    "lstm": {"cell": "lstm"},
    "gru forward last": {"pooling": "last", "bidirectional": False, "bigrams": None},
    "relu": {"cell": "rnn", "activation": "relu", "recurrent_initializer": "identity", "bidirectional": False},
    "cnn": {"encoder": "cnn", "filters": 3, "filter_widths": [2, 3, 7]},
    "cnn of one width": {"encoder": "cnn", "filters": 3, "filter_widths": [4], "bigrams": None},
    "average": {"encoder": "average"},
    "attention": {"encoder": "rnn+attention", "attention_units": 5, "bidirectional": False},
    "hierarchical": {**HIERARCHICAL, "cell": "rnn", "bidirectional": False},
}
SLOW = {
    "lstm forward": {"cell": "lstm", "bidirectional": False, "pool_words": False},
    "gru last": {"pooling": "last"},
    "rnn": {"cell": "rnn", "recurrent_dropout": 0.5},
    "two layers": {"cell": "lstm", "layers": 2, "merge": "mul", "layer_norm": True, "pooling": "last"},
    "three layers": {"layers": 3, "merge": "ave", "residual": True, "layer_norm": True, "bigrams": None},
    "hierarchical of both directions": {**HIERARCHICAL, "cell": "lstm", "merge": "sum"},
    "hierarchical of two layers": {**HIERARCHICAL, "layers": 2, "bidirectional": False},
}
CASES = [pytest.param(values, id=name) for name, values in FAST.items()]
CASES += [pytest.param(values, id=name, marks=pytest.mark.slow) for name, values in SLOW.items()]


class Built(NamedTuple):
    settings: ClassifierSettings
    model: keras.Model
    weight: Callable[[str], np.ndarray]


@pytest.fixture(scope="module", params=CASES)
def built(request: pytest.FixtureRequest, randomized) -> Built:
    sizes = {"embedding": 4, "units": 3, "bigrams": {"buckets": 50, "width": 2}}
    settings = ClassifierSettings.model_validate({**sizes, **request.param})
    model = classifier.build(settings, VOCABULARY, CLASSES)
    return Built(settings, model, randomized(model))


def batch(extra: int = 0, filler: int = 0) -> dict[str, tf.Tensor]:
    width = max(map(len, ROWS)) + extra
    tokens = [row + [filler] * (width - len(row)) for row in ROWS]
    values = {"tokens": tokens, "length": [len(row) for row in ROWS], "label": LABELS}
    return {name: tf.constant(value, tf.int64) for name, value in values.items()}


def softmax(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores) / np.exp(scores).sum()


def attend(built: Built, states: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The weighted mean of states, and their weights."""
    hidden = np.tanh(states @ built.weight(f"/{name}/hidden/kernel") + built.weight(f"/{name}/hidden/bias"))
    weights = softmax((hidden @ built.weight(f"/{name}/score/kernel"))[:, 0])
    return weights @ states, weights


def convolve(built: Built, inputs: np.ndarray, width: int) -> np.ndarray:
    """The greatest response of each filter to all runs of words, with zeros around the document, float [filters]."""
    before = (width - 1) // 2
    around = np.pad(inputs, [[before, width - 1 - before], [0, 0]])
    runs = np.stack([around[t : t + width] for t in range(len(inputs))])
    answers = np.einsum("twi,wif->tf", runs, built.weight(f"/filters_{width}/kernel"))
    return np.maximum(answers + built.weight(f"/filters_{width}/bias"), 0).max(axis=0)


def segments_of(row: list[int]) -> list[list[int]]:
    """Indices of the words of each segment: 2 begins one, 3 ends one."""
    segments: list[list[int]] = [[]]
    for place, token in enumerate(row):
        if token == 2:
            segments.append([])
        segments[-1].append(place)
        if token == 3:
            segments.append([])
    return [segment for segment in segments if segment]


def encode(built: Built, inputs: np.ndarray, row: list[int], stack: Callable) -> tuple[np.ndarray, np.ndarray | None]:
    """The vector of a document, and the weights of its words where there is attention."""
    settings = built.settings
    if settings.encoder == "cnn":
        return np.concatenate([convolve(built, inputs, width) for width in settings.filter_widths]), None
    if settings.encoder == "average":
        return inputs.mean(axis=0), None
    if settings.encoder == "hierarchical":
        places = segments_of(row)
        parts = [attend(built, stack(settings, built.weight, inputs[p], "word_")[0], "attention") for p in places]
        states, _ = stack(settings, built.weight, np.array([vector for vector, _ in parts]), "segment_")
        document, of_segments = attend(built, states, "segment_attention")
        return document, np.concatenate([a * words for a, (_, words) in zip(of_segments, parts, strict=True)])
    states, last = stack(settings, built.weight, inputs)
    if settings.encoder == "rnn+attention":
        return attend(built, states, "attention")
    if settings.pooling == "last":
        return last, None
    joined = np.concatenate([inputs, states], axis=1) if settings.pool_words else states
    return np.concatenate([joined.max(axis=0), joined.mean(axis=0)]), None


def forward(built: Built, row: list[int], stack: Callable) -> tuple[np.ndarray, np.ndarray | None]:
    """Logits of one document, without any padding, and the weights of its words where there is attention."""
    document, weights = encode(built, built.weight("/embedding/")[row], row, stack)
    if built.settings.bigrams:
        pairs = [(first * 1_000_003 + second * 7_919) % 50 for first, second in itertools.pairwise(row)]
        total = built.weight("/table/")[pairs].sum(axis=0) if pairs else np.zeros(2)
        document = np.concatenate([document, total / max(len(pairs), 1) ** 0.5])
    return document @ built.weight("/logits/kernel") + built.weight("/logits/bias"), weights


def test_logits_and_weights_match_numpy_for_any_padding(built: Built, recurrent_reference) -> None:
    passes = [forward(built, row, recurrent_reference) for row in ROWS]
    expected = np.array([logits for logits, _ in passes])
    model, likelihoods = explained(built.model), np.exp(expected)[range(4), LABELS] / np.exp(expected).sum(axis=1)
    assert (model is None) == (built.settings.encoder not in ("rnn+attention", "hierarchical"))
    for features in (batch(), batch(extra=5, filler=3)):
        inputs = [features["tokens"], features["length"]]
        logits = built.model(inputs, training=False)
        np.testing.assert_allclose(logits, expected, atol=1e-5)
        losses, _, correct = SingleLabel(built.settings, "abc").judge(features, logits)
        np.testing.assert_allclose(losses, -np.log(likelihoods), atol=1e-5)
        np.testing.assert_array_equal(correct, expected.argmax(axis=1) == LABELS)
        for number, (_, weights) in enumerate(passes if model else []):
            found = model(inputs, training=False)[1].numpy()[number]
            assert weights.sum() == pytest.approx(1)
            np.testing.assert_allclose(found[: len(weights)], weights, atol=1e-6)
            assert not found[len(weights) :].any()


def gradients(built: Built, features: dict[str, tf.Tensor]) -> list[np.ndarray]:
    with tf.GradientTape() as tape:
        logits = built.model([features["tokens"], features["length"]], training=False)
        loss = tf.reduce_sum(SingleLabel(built.settings, "abc").judge(features, logits).losses)
    found = tape.gradient(loss, [weight.value for weight in built.model.trainable_variables])
    return [tf.convert_to_tensor(gradient).numpy() for gradient in found]


def test_every_weight_contributes_to_the_loss_and_padding_to_no_gradient(built: Built) -> None:
    found = gradients(built, batch())
    may_be_dead = built.settings.activation == "relu"
    assert all(np.abs(gradient).max() > 0 or may_be_dead for gradient in found)
    for padded, plain in zip(gradients(built, batch(extra=5, filler=3)), found, strict=True):
        np.testing.assert_allclose(padded, plain, atol=1e-5)
    inputs = [batch()["tokens"], batch()["length"]]
    again = keras.Model.from_config(built.model.get_config())
    again.set_weights(built.model.get_weights())
    np.testing.assert_array_equal(again(inputs), built.model(inputs))


def test_dropout_and_word_dropout_apply_only_in_training() -> None:
    model = classifier.build(ClassifierSettings(embedding=4, units=3, dropout=0.5), VOCABULARY, CLASSES)
    inputs = [tf.constant([ROWS[0]], tf.int64), tf.constant([6], tf.int64)]
    np.testing.assert_array_equal(*(model(inputs, training=False) for _ in range(2)))
    assert len({model(inputs, training=True).numpy().tobytes() for _ in range(4)}) > 1
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
