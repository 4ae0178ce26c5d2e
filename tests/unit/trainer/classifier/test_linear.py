"""The linear classifier of n-grams against sets, sums and regressions over n-grams in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf
from hypothesis import given
from sklearn.linear_model import LogisticRegression

from trainer.classifier.linear import fitting, ngram_documents, ngrams, weighted_sum, word_parts
from trainer.classifier.linear.ngram_documents import NgramDocuments
from trainer.classifier.linear.ngrams import LinearLogits, LinearWeights
from trainer.classifier.linear.weighted_sum import WeightedSum
from trainer.training.pace import SplitSize

CLASSES, LONGEST = 3, 3

rows = st.lists(st.integers(0, 9), min_size=1, max_size=8)


def batch(texts: Sequence[list[int]], labels: Sequence[int], extra: int = 0, **more: Any) -> dict[str, tf.Tensor]:
    width = max(map(len, texts)) + extra
    tokens = tf.constant([text + [0] * (width - len(text)) for text in texts], tf.int64)
    lengths = tf.constant([len(text) for text in texts], tf.int64)
    return {"tokens": tokens, "length": lengths, "label": tf.constant(labels, tf.int64), **more}


def distinct(text: list[int]) -> set[tuple[int, ...]]:
    sizes = range(1, LONGEST + 1)
    return {tuple(text[k : k + size]) for size in sizes for k in range(len(text) - size + 1)}


def key_of(gram: tuple[int, ...]) -> int:
    """The hash of an n-gram, which is the last one of a document that consists of its words alone."""
    tokens = tf.constant([gram], tf.int64)
    keys, real = ngrams.hashes(tokens, tf.ones_like(tokens, tf.bool), len(gram))
    return int(tf.boolean_mask(keys, real)[-1])


def one_hot(features: dict[str, tf.Tensor], classes: int = CLASSES) -> np.ndarray:
    return np.eye(classes)[features["label"].numpy()]


def collected(texts: Sequence[list[int]], labels: Sequence[int], classes: int = CLASSES, step: int = 1) -> Any:
    halves = [batch(texts[:2], labels[:2]), batch(texts[2:], labels[2:])] if len(texts) > 2 else [batch(texts, labels)]
    return ngram_documents.collect(halves, lambda one: one_hot(one, classes), longest=LONGEST, step=step)


def of_each(found: NgramDocuments) -> list[list[int]]:
    return [keys.tolist() for keys in np.split(found.keys, np.cumsum(found.sizes)[:-1])]


@hypothesis.settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(rows, st.integers(0, CLASSES - 1)), min_size=1, max_size=5), st.integers(1, 3))
def test_every_nth_document_is_collected_as_the_set_of_its_ngrams(labelled, step: int) -> None:
    texts, labels = map(list, zip(*labelled, strict=True))
    found = collected(texts, labels, step=step)
    assert of_each(found) == [sorted(map(key_of, distinct(text))) for text in texts[::step]]
    np.testing.assert_array_equal(found.targets, np.eye(CLASSES)[labels[::step]])
    np.testing.assert_array_equal(found.weights, np.ones(len(texts[::step])))


def test_weights_of_documents_are_collected() -> None:
    features = batch([[4], [5]], [0, 1], weight=tf.constant([0.5, 2.0]))
    assert ngram_documents.collect([features], one_hot, longest=1).weights.tolist() == [0.5, 2.0]


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        (SplitSize(1, 1), 3, 1),
        (SplitSize(ngram_documents.MAX_DOCUMENTS, 10), 3, 1),
        (SplitSize(ngram_documents.MAX_DOCUMENTS + 1, 10), 3, 2),
        (SplitSize(10 * ngram_documents.MAX_DOCUMENTS, 10), 1, 10),
        (SplitSize(10, ngram_documents.MAX_NGRAMS // 3), 3, 1),
        (SplitSize(10, ngram_documents.MAX_NGRAMS), 3, 3),
        (SplitSize(0, 0), 3, 1),
    ],
)
def test_the_step_keeps_large_splits_within_the_maxima(size: SplitSize, longest: int, expected: int) -> None:
    assert ngram_documents.every(size, longest) == expected


@pytest.mark.parametrize(
    ("columns", "size", "expected"),
    [(1, 10, 10), (1, 10**8, fitting.MAX_WEIGHTS), (4, 10**8, fitting.MAX_WEIGHTS // 4), (10**9, 10, 1)],
)
def test_many_classes_share_the_weights(columns: int, size: int, expected: int) -> None:
    assert fitting.width(columns, size) == expected


WORDS = 12


def texts_of(number: int, seed: int, classes: int = 2) -> tuple[list[list[int]], list[int]]:
    """Documents in which the words of their class are likelier."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, number).tolist()
    odds = np.ones([classes, WORDS])
    odds[np.arange(classes), np.arange(classes)] = 4
    shares_of = odds / odds.sum(1, keepdims=True)
    return [draw.choice(WORDS, draw.integers(1, 9), p=shares_of[label]).tolist() for label in labels], labels


def values(texts: list[list[int]], grams: list[tuple[int, ...]], scales: np.ndarray) -> np.ndarray:
    found = np.array([[gram in distinct(text) for gram in grams] for text in texts]) * scales
    return found / np.maximum(np.sqrt(np.square(found).sum(1, keepdims=True)), 1e-300)


def reference(texts: list[list[int]], labels: list[int], least: int, classes: int) -> tuple[list[Any], np.ndarray]:
    """The n-grams in at least `least` documents with their scales, from the definition."""
    counts = Counter(gram for text in texts for gram in distinct(text))
    grams = sorted(gram for gram, count in counts.items() if count >= least)
    present = {gram: np.array([gram in distinct(text) for text in texts], int) for gram in grams}
    own = np.array([[1 + present[g] @ np.equal(labels, c) for c in range(classes)] for g in grams])
    others = np.array([[1 + present[g] @ np.not_equal(labels, c) for c in range(classes)] for g in grams])
    ratios = np.abs(np.log(own / own.sum(0)) - np.log(others / others.sum(0))).max(1)
    rarity = [1 + math.log((1 + len(texts)) / (1 + counts[gram])) for gram in grams]
    lengths = 0.5 ** ((np.array(list(map(len, grams))) - 1) / 2)
    scales = np.array(rarity) * ratios**0.5 * lengths
    return grams, scales


@pytest.mark.parametrize("classes", [2, 3])
def test_the_fit_is_a_logistic_regression_of_scaled_ngrams(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "PENALTIES", (1.0,))
    (texts, labels), (held, held_labels) = texts_of(60, 1, classes), texts_of(30, 2, classes)
    train, evaluated = collected(texts, labels, classes), collected(held, held_labels, classes)
    fitted = fitting.fit(train, evaluated, exclusive=True, min_documents=2, max_size=10_000)
    grams, scales = reference(texts, labels, 2, classes)
    assert fitted is not None
    place = [fitted.weights.keys.tolist().index(key_of(gram)) for gram in grams]
    assert sorted(place) == list(range(len(fitted.weights.keys)))
    np.testing.assert_allclose(fitted.weights.scales[place], scales, rtol=1e-5)
    model = LogisticRegression(C=1.0, tol=1e-8, max_iter=10_000).fit(values(texts, grams, scales), labels)
    logits = values(held, grams, scales) @ fitted.weights.weights[place] + fitted.weights.bias
    found = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(found, model.predict_proba(values(held, grams, scales)), atol=2e-3)
    losses = -np.log(found[np.arange(len(held)), held_labels])
    assert fitted.eval_loss == pytest.approx(losses.mean(), abs=1e-6)


def test_the_penalty_with_the_lowest_eval_loss_before_a_rise_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    (texts, labels), (held, held_labels) = texts_of(80, 3), texts_of(60, 4)
    train, evaluated = collected(texts, labels, 2), collected(held, held_labels, 2)
    limits = {"exclusive": True, "min_documents": 1, "max_size": 10_000}
    alone = {}
    for penalty in fitting.PENALTIES:
        with monkeypatch.context() as patched:
            patched.setattr(fitting, "PENALTIES", (penalty,))
            one = fitting.fit(train, evaluated, **limits)
        assert one is not None
        alone[penalty] = one.eval_loss
    rises = [
        number for number in range(1, len(alone)) if list(alone.values())[number] >= list(alone.values())[number - 1]
    ]
    best = fitting.PENALTIES[rises[0] - 1 if rises else -1]
    chosen = fitting.fit(train, evaluated, **limits)
    assert chosen is not None
    assert chosen.penalty == best
    assert chosen.eval_loss == pytest.approx(alone[best], abs=1e-3)


def test_of_more_ngrams_than_allowed_those_in_the_most_documents_are_kept() -> None:
    texts, labels = texts_of(40, 5)
    counts = Counter(gram for text in texts for gram in distinct(text))
    fitted = fitting.fit(
        collected(texts, labels, 2), collected(texts, labels, 2), exclusive=True, min_documents=1, max_size=5
    )
    assert fitted is not None
    frequency = {key_of(gram): count for gram, count in counts.items()}
    kept = sorted((frequency[key] for key in fitted.weights.keys.tolist()), reverse=True)
    assert kept == sorted(counts.values(), reverse=True)[:5]


def test_without_a_frequent_ngram_there_is_no_classifier() -> None:
    alone = collected([[1], [2]], [0, 1], 2)
    assert fitting.fit(alone, alone, exclusive=True, min_documents=2, max_size=10) is None


def test_classes_without_documents_are_unlikely_and_labels_of_all_documents_are_likely() -> None:
    texts, labels = texts_of(40, 6)
    train, limits = collected(texts, labels, CLASSES), {"min_documents": 1, "max_size": 1_000}
    exclusive = fitting.fit(train, train, exclusive=True, **limits)
    assert exclusive is not None
    assert not exclusive.weights.weights[:, 2].any()
    assert exclusive.weights.bias[2] == pytest.approx(math.log(0.5 / 41), rel=1e-5)
    always = np.array([[label == 1, 1, 0] for label in labels], float)
    several = fitting.fit(train._replace(targets=always), train._replace(targets=always), exclusive=False, **limits)
    assert several is not None
    assert several.weights.bias[1:].tolist() == pytest.approx([math.log(40.5 / 0.5), math.log(0.5 / 40.5)], rel=1e-5)
    assert several.weights.weights[:, 0].any()
    assert not several.weights.weights[:, 1:].any()


def test_a_document_of_weight_two_counts_as_two() -> None:
    texts, labels = texts_of(30, 7)
    once = collected(texts, labels, 2)
    weighed = once._replace(weights=np.where(np.array(labels) == 1, 2.0, 1.0))
    options = {"exclusive": True, "min_documents": 1, "max_size": 1_000}
    plain, favoured = fitting.fit(once, once, **options), fitting.fit(weighed, once, **options)
    assert plain is not None
    assert favoured is not None
    assert np.diff(favoured.weights.bias) > np.diff(plain.weights.bias)


@pytest.fixture(scope="module")
def weights() -> LinearWeights:
    """Random weights of the n-grams of some documents."""
    grams = sorted({gram for text in ([4, 5, 4, 5, 6], [7, 7, 4], [1], [9, 0]) for gram in distinct(text)})
    draw, keys = np.random.default_rng(1), np.sort([key_of(gram) for gram in grams])
    table = draw.normal(size=[len(keys), CLASSES]).astype(np.float32)
    return LinearWeights(keys, draw.uniform(1, 2, len(keys)).astype(np.float32), table, np.float32([0.1, 0.2, 0.3]))


@pytest.fixture(scope="module")
def layer(weights: LinearWeights) -> LinearLogits:
    made = LinearLogits(len(weights.keys), CLASSES, LONGEST)
    made.build()
    made.fill(weights, *word_parts.NONE)
    return made


@hypothesis.settings(max_examples=25, deadline=None)
@given(texts=st.lists(rows, min_size=1, max_size=4), extra=st.integers(0, 4))
def test_logits_are_the_weighted_mean_over_the_length_of_the_scales(layer, weights, texts, extra: int) -> None:
    tokens, lengths, _ = batch(texts, [0] * len(texts), extra).values()
    logits = layer(tokens, tf.sequence_mask(lengths, tf.shape(tokens)[1])).numpy()
    place = {key: row for row, key in enumerate(weights.keys.tolist())}
    for text, found in zip(texts, logits, strict=True):
        known = [place[key] for key in map(key_of, distinct(text)) if key in place]
        scales = weights.scales[known]
        expected = scales @ weights.weights[known] / (np.linalg.norm(scales) or 1) + weights.bias
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_nothing_of_the_layer_is_trained_and_its_configuration_rebuilds_it(layer: LinearLogits) -> None:
    assert not layer.trainable_variables
    again = LinearLogits.from_config(layer.get_config())
    again.build()
    again.set_weights(layer.get_weights())
    tokens = tf.constant([[4, 5, 6]], tf.int64)
    steps = tf.ones_like(tokens, tf.bool)
    np.testing.assert_array_equal(again(tokens, steps), layer(tokens, steps))


def logits_of(labels: np.ndarray, strength: float, seed: int) -> np.ndarray:
    """Logits that are right more often than not."""
    draw = np.random.default_rng(seed)
    return strength * np.eye(2)[labels] + draw.normal(size=[len(labels), 2])


def test_shares_have_the_lowest_penalized_loss() -> None:
    labels = np.random.default_rng(1).integers(0, 2, 50)
    encoder, linear, targets = logits_of(labels, 1, 2), logits_of(labels, 2, 3), np.eye(2)[labels]
    found = weighted_sum.choose(encoder, linear, targets, np.ones(50), fitting.softmax_losses)

    def total(one: float, other: float) -> float:
        losses = fitting.softmax_losses(one * encoder + other * linear, targets)
        return float(losses.sum() + 5 * one**2 + 12.5 * (other - 1) ** 2)

    grid = np.linspace(0, 3, 121)
    best = min(((one, other) for one in grid for other in grid), key=lambda pair: total(*pair))
    np.testing.assert_allclose(found, best, atol=0.025)


def test_few_documents_leave_the_linear_classifier_and_many_decide() -> None:
    labels = np.random.default_rng(4).integers(0, 2, 4_000)
    encoder, linear, targets = logits_of(labels, 3, 5), logits_of(labels, 0, 6), np.eye(2)[labels]
    many = weighted_sum.choose(encoder, linear, targets, np.ones(4_000), fitting.softmax_losses)
    assert many.encoder > 1
    assert many.linear < 0.1
    few = weighted_sum.choose(encoder[:1], linear[:1], targets[:1], np.ones(1), fitting.softmax_losses)
    assert few.encoder < 0.3
    assert few.linear > 0.7
    wrong = weighted_sum.choose(-encoder, linear, targets, np.ones(4_000), fitting.softmax_losses)
    assert wrong.encoder == 0


def test_a_share_that_changes_nothing_is_none() -> None:
    labels = np.random.default_rng(9).integers(0, 2, 100)
    linear, targets = logits_of(labels, 2, 10), np.eye(2)[labels]
    noise = np.random.default_rng(11).normal(size=[100, 2])
    shares_of_noise = {
        strength: weighted_sum.choose(
            noise + strength * np.eye(2)[labels], linear, targets, np.ones(100), fitting.softmax_losses
        )
        for strength in (0, 2)
    }
    assert shares_of_noise[0].encoder == 0
    assert shares_of_noise[2].encoder > 0.05
    alone = scipy.optimize.minimize_scalar(
        lambda share: fitting.softmax_losses(share * linear, targets).sum() + 12.5 * (share - 1) ** 2
    )
    assert shares_of_noise[0].linear == pytest.approx(alone.x, abs=1e-3)


def test_the_losses_are_those_of_keras() -> None:
    draw = np.random.default_rng(8)
    logits, labels = draw.normal(size=[9, 4]), draw.integers(0, 4, 9)
    one = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    np.testing.assert_allclose(fitting.softmax_losses(logits, np.eye(4)[labels]), one, atol=1e-6)
    several = draw.integers(0, 2, [9, 4]).astype(float)
    many = keras.losses.binary_crossentropy(several, logits, from_logits=True)
    np.testing.assert_allclose(fitting.sigmoid_losses(logits, several), many, atol=1e-6)


def test_the_sum_weighs_its_parts_and_survives_its_configuration() -> None:
    parts = [tf.constant([[1.0, 2.0]]), tf.constant([[10.0, 30.0]], tf.float64)]
    layer = WeightedSum.from_config(WeightedSum((0.5, 2.0)).get_config())
    np.testing.assert_allclose(layer(parts), [[20.5, 61.0]])
