"""The n-gram head against counts and sums in plain Python."""

from collections import Counter

import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from trainer.classifier import model as classifier
from trainer.classifier import ngrams
from trainer.classifier.ngrams import NgramCounts, NgramLogits
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel

CLASSES, LONGEST = 3, 3
DOCUMENTS = [[4, 5, 4, 5, 6], [4, 5, 6], [7], [7, 7, 4], [5, 6, 4, 5]]
LABELS = [0, 0, 1, 2, 1]


def batch(documents: list[list[int]], labels: list[int], extra: int = 0) -> dict[str, tf.Tensor]:
    width = max(map(len, documents)) + extra
    tokens = tf.constant([document + [0] * (width - len(document)) for document in documents], tf.int64)
    lengths = tf.constant([len(document) for document in documents], tf.int64)
    return {"tokens": tokens, "length": lengths, "label": tf.constant(labels, tf.int64)}


def distinct(document: list[int]) -> set[tuple[int, ...]]:
    sizes = range(1, LONGEST + 1)
    return {tuple(document[k : k + size]) for size in sizes for k in range(len(document) - size + 1)}


def keys_of(grams: list[tuple[int, ...]]) -> list[int]:
    """The hash of each n-gram, which is the last one of a document that consists of its words alone."""
    found = []
    for gram in grams:
        tokens = tf.constant([gram], tf.int64)
        keys, real = ngrams.hashes(tokens, tf.ones_like(tokens, tf.bool), len(gram))
        found.append(int(tf.boolean_mask(keys, real)[-1]))
    return found


def counted(documents: list[list[int]], labels: list[int], **values: int) -> NgramCounts:
    settings = {"longest": LONGEST, "min_documents": 1, "max_size": 1_000, **values}
    halves = [batch(documents[half::2], labels[half::2]) for half in range(min(2, len(documents)))]
    return ngrams.count(halves, CLASSES, **settings)


def expected_counts(documents: list[list[int]], labels: list[int]) -> dict[tuple[int, ...], list[int]]:
    found = Counter(
        (gram, label) for document, label in zip(documents, labels, strict=True) for gram in distinct(document)
    )
    return {gram: [found[gram, label] for label in range(CLASSES)] for gram, _ in found}


rows = st.lists(st.integers(0, 9), min_size=1, max_size=8)


@hypothesis.settings(max_examples=25)
@given(st.lists(st.tuples(rows, st.integers(0, CLASSES - 1)), min_size=1, max_size=5))
def test_counts_match_a_counter(labelled: list[tuple[list[int], int]]) -> None:
    documents, labels = map(list, zip(*labelled, strict=True))
    counts, expected = counted(documents, labels), expected_counts(documents, labels)
    assert (counts.keys[1:] > counts.keys[:-1]).all()
    found = dict(zip(counts.keys.tolist(), counts.documents.tolist(), strict=True))
    assert found == dict(zip(keys_of(list(expected)), expected.values(), strict=True))


def test_rare_ngrams_and_those_beyond_the_size_are_dropped_and_log_ratios_compare_shares() -> None:
    documents = np.array([[3, 0, 1], [0, 2, 0]])
    ratios = NgramCounts(np.array([1, 2]), documents).log_ratios()
    for label in range(CLASSES):
        own, rest = documents[:, label] + 1, documents.sum(1) - documents[:, label] + 1
        np.testing.assert_allclose(ratios[:, label], np.log((own / own.sum()) / (rest / rest.sum())), atol=1e-6)
    expected = expected_counts(DOCUMENTS, LABELS)
    often = {gram for gram, counts in expected.items() if sum(counts) >= 2}
    assert set(counted(DOCUMENTS, LABELS, min_documents=2).keys) == set(keys_of(list(often)))
    kept = counted(DOCUMENTS, LABELS, max_size=1)
    most = max(map(sum, expected.values()))
    assert kept.documents.sum() == most
    assert kept.keys[0] == min(keys_of([gram for gram, counts in expected.items() if sum(counts) == most]))


@pytest.fixture(scope="module")
def layer() -> NgramLogits:
    """A layer of the n-grams in at least two documents of the corpus, with random gains."""
    counts = counted(DOCUMENTS, LABELS, min_documents=2)
    made = NgramLogits(len(counts.keys), CLASSES, LONGEST)
    made.build()
    made.start(counts)
    made.gains.assign(np.random.default_rng(1).normal(size=made.gains.shape))
    return made


def reference(layer: NgramLogits, document: list[int]) -> np.ndarray:
    place = {key: row for row, key in enumerate(layer.keys.numpy().tolist())}
    known = [place[key] for key in keys_of(sorted(distinct(document))) if key in place]
    weights = layer.ratios.numpy() * (1 + 5 * layer.gains.numpy())
    return weights[known].sum(0) / max(len(known), 1) ** 0.5


@hypothesis.settings(max_examples=25)
@given(
    documents=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=8), min_size=1, max_size=4),
    extra=st.integers(0, 4),
)
def test_logits_are_weights_of_distinct_ngrams_over_the_square_root_of_their_number(layer, documents, extra) -> None:
    tokens, lengths, _ = batch(documents, [0] * len(documents), extra).values()
    logits = layer(tokens, tf.sequence_mask(lengths, tf.shape(tokens)[1])).numpy()
    np.testing.assert_allclose(logits, [reference(layer, document) for document in documents], atol=1e-5)


def test_without_the_setting_or_a_common_ngram_there_is_one_head() -> None:
    assert SingleLabel(ClassifierSettings(), "abc").counts([batch(DOCUMENTS, LABELS)]) == {}
    settings = ClassifierSettings.model_validate({"embedding": 4, "units": 3, "ngrams": {}})
    counts = SingleLabel(settings, "abc").counts([batch([[4], [5]], [0, 1])])
    model = classifier.build(settings, 10, CLASSES, **counts)
    assert not [layer for layer in model.layers if isinstance(layer, NgramLogits)]


def test_two_heads_have_their_own_losses_and_answer_with_their_mean() -> None:
    dropouts = {"dropout": 0, "spatial_dropout": 0, "word_dropout": 0}
    settings = ClassifierSettings.model_validate({"embedding": 4, "units": 3, "ngrams": {}, **dropouts})
    features = batch(DOCUMENTS, LABELS)
    model = classifier.build(settings, 10, CLASSES, **SingleLabel(settings, "abc").counts([features]))
    inputs = [features["tokens"], features["length"]]
    answer, heads = model(inputs, training=False), model(inputs, training=True)
    assert heads.shape == (len(DOCUMENTS), 2, CLASSES)
    np.testing.assert_allclose(answer, np.mean(heads, axis=1), atol=1e-6)
    losses, _, correct = SingleLabel(settings, "abc").judge(features, heads)
    repeated = np.repeat(np.array(LABELS)[:, np.newaxis], 2, axis=1)
    of_each = keras.ops.sparse_categorical_crossentropy(repeated, heads, from_logits=True)
    np.testing.assert_allclose(losses, np.mean(of_each, axis=1), atol=1e-6)
    np.testing.assert_array_equal(correct, np.argmax(answer, -1) == LABELS)
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(inputs), answer)
