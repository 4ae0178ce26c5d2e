"""Parts of words against substrings in plain Python, in collected documents and in the layer."""

from __future__ import annotations

from typing import Literal

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from trainer.classifier.linear import fitting, ngram_documents, ngrams, word_parts
from trainer.classifier.linear.ngrams import LinearLogits, LinearWeights
from trainer.data.features import RESERVED_WORDS

VOCABULARY = [*RESERVED_WORDS, "walk", "walked", "walking", "talk", "a", "über", "überall", "x" * 100, "y" + "x" * 99]
IDS = len(VOCABULARY) + 3

words = st.lists(st.text("abé字", min_size=1, max_size=8), max_size=6, unique=True)
texts = st.lists(st.lists(st.integers(0, IDS - 1), min_size=1, max_size=6), min_size=1, max_size=4)


def substrings(word: str) -> set[str]:
    marked = f"<{word}>"
    return {marked[i:j] for i in range(len(marked)) for j in range(i + 3, min(i + 5, len(marked)) + 1)}


def keys_of(parts: word_parts.WordParts, number: int) -> list[int]:
    return parts.keys[parts.splits[number] : parts.splits[number + 1]].tolist()


@given(words, st.integers(0, 3))
def test_words_have_the_substrings_that_another_word_has(found: list[str], more: int) -> None:
    vocabulary = [*RESERVED_WORDS, *found]
    parts = word_parts.of_words(vocabulary, len(vocabulary) + more)
    assert len(parts.splits) == len(vocabulary) + more + 1
    of_key: dict[int, set[str]] = {}
    for number, word in enumerate(vocabulary):
        others = set().union(*(substrings(other) for other in found if other != word))
        shared = substrings(word) & others if word in found else set()
        keys = keys_of(parts, number)
        assert len(set(keys)) == len(keys) == len(shared)
        for key in keys:
            of_key[key] = of_key.get(key, shared) & shared
    assert all(of_key.values())
    assert {key & word_parts.CODE for key in of_key} <= {word_parts.CODE}
    assert not any(keys_of(parts, number) for number in range(len(vocabulary), len(vocabulary) + more))


def test_reserved_hashed_and_very_long_words_have_no_parts() -> None:
    parts = word_parts.of_words(VOCABULARY, IDS)
    without = [number for number in range(IDS) if not keys_of(parts, number)]
    assert without == [0, 1, 2, 3, VOCABULARY.index("a"), *range(IDS - 5, IDS)]
    assert len(keys_of(parts, VOCABULARY.index("walk"))) == len(
        substrings("walk") & (substrings("walked") | substrings("walking") | substrings("talk"))
    )


@pytest.mark.parametrize(
    ("setting", "tokens", "expected"),
    [
        ("auto", 1_000_000, True),
        ("auto", 1_000_001, False),
        (True, 1_000_001, True),
        (False, 1, False),
    ],
)
def test_little_text_has_parts_unless_the_setting_decides(
    setting: Literal["auto"] | bool, tokens: int, expected: bool
) -> None:
    assert word_parts.wanted(setting, tokens) is expected


def batch(documents: list[list[int]], extra: int = 0) -> dict[str, tf.Tensor]:
    """Documents padded with ids of words, so that padding shows if it is read."""
    width, word = max(map(len, documents)) + extra, VOCABULARY.index("walked")
    padded = [document + [word] * (width - len(document)) for document in documents]
    return {"tokens": tf.constant(padded, tf.int64), "length": tf.constant(list(map(len, documents)), tf.int64)}


def distinct_keys(document: list[int], parts: word_parts.WordParts, longest: int = 2) -> set[int]:
    own, real = ngrams.hashes(tf.constant([document], tf.int64), tf.ones([1, len(document)], tf.bool), longest)
    return set(tf.boolean_mask(own, real).numpy().tolist()).union(*(keys_of(parts, number) for number in document))


@hypothesis.settings(max_examples=25, deadline=None)
@given(texts, st.integers(0, 3))
def test_documents_are_collected_with_the_parts_of_their_words(documents: list[list[int]], extra: int) -> None:
    parts = word_parts.of_words(VOCABULARY, IDS)
    targets = np.zeros([len(documents), 2])
    found = ngram_documents.collect([batch(documents, extra)], lambda _: targets, longest=2, parts=parts)
    per_document = np.split(found.keys, np.cumsum(found.sizes)[:-1])
    assert [keys.tolist() for keys in per_document] == [sorted(distinct_keys(one, parts)) for one in documents]


@hypothesis.settings(max_examples=25, deadline=None)
@given(texts, st.integers(0, 3))
def test_the_layer_reads_known_parts_once_and_none_of_padding(documents: list[list[int]], extra: int) -> None:
    parts, draw = word_parts.of_words(VOCABULARY, IDS), np.random.default_rng(1)
    known = sorted({*distinct_keys([4, 5, 6], parts), *distinct_keys([9, 1], parts)})[::2]
    keys = np.array(known, np.int64)
    weights = draw.normal(size=[len(keys), 3]).astype(np.float32)
    linear = LinearWeights(keys, draw.uniform(1, 2, len(keys)).astype(np.float32), weights, np.float32([0.1, 0.2, 0.3]))
    rows = parts.rows(keys)
    layer = LinearLogits(len(keys), 3, 2, words=len(rows.splits) - 1, parts=len(rows.keys))
    layer.build()
    layer.fill(linear, *rows)
    tokens, lengths = batch(documents, extra).values()
    logits = layer(tokens, tf.sequence_mask(lengths, tf.shape(tokens)[1])).numpy()
    for document, found in zip(documents, logits, strict=True):
        row = [known.index(key) for key in distinct_keys(document, parts) if key in known]
        scales = linear.scales[row]
        np.testing.assert_allclose(
            found, scales @ weights[row] / (np.linalg.norm(scales) or 1) + linear.bias, atol=1e-5
        )


def test_the_value_of_a_part_is_a_quarter_of_that_of_a_word_in_the_same_documents() -> None:
    parts = word_parts.of_words(VOCABULARY, IDS)
    documents, targets = [[4], [5], [9], [9, 4], [9, 5]], np.eye(2)[[0, 0, 1, 1, 0]]
    train = ngram_documents.collect([batch(documents)], lambda _: targets, longest=1, parts=parts)
    fitted = fitting.fit(train, train, exclusive=True, min_documents=2, max_size=100)
    assert fitted is not None
    of_documents = [distinct_keys(document, parts, 1) for document in documents]
    keys = fitted.weights.keys.tolist()
    present = np.array([[key in found for key in keys] for found in of_documents], int)
    own, others = 1 + present.T @ targets, 1 + present.T @ (1 - targets)
    ratios = np.abs(np.log(own / own.sum(0)) - np.log(others / others.sum(0))).max(1)
    of_part = np.array([0.25 if key & word_parts.CODE == word_parts.CODE else 1.0 for key in keys])
    assert set(of_part) == {0.25, 1.0}
    expected = (1 + np.log(6 / (1 + present.sum(0)))) * np.sqrt(ratios) * of_part
    np.testing.assert_allclose(fitted.weights.scales, expected, rtol=1e-5)
