"""The fitted chain against CRFsuite's own probabilities."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import pycrfsuite
import pytest
import tensorflow as tf

from tests.unit.trainer.tagger.test_attributes import expected
from trainer.tagger.linear import crf, sentences
from trainer.tagger.linear.chain import Chain
from trainer.tagger.linear.sentences import TaggedBatch
from trainer.tagger.linear.tag_scores import TagScores

TAGS = 4
PENALTY = 0.1
WORDS = ["in", "by", "Nice", "Léa", "東京", "タワー", "שלום", "1.5", "a\0b", "\U0001f600", "Bay"]
Pairs = list[tuple[list[str], list[int]]]


def tagged(count: int, seed: int, words: Sequence[str] = WORDS) -> Pairs:
    """Sentences whose tags depend on the word, on its capital and on the tag before."""
    draw, found = random.Random(seed), Pairs()
    for _ in range(count):
        tokens, tags = draw.choices(words, k=draw.randrange(1, 7)), [0]
        for token in tokens:
            after = 2 if tags[-1] == 1 else len(token) % 2
            tags.append(1 if token[:1].isupper() and draw.random() < 0.8 else after)
        found.append((tokens, tags[1:]))
    return found


def batches(pairs: Pairs, size: int = 7, right: bool = True) -> list[TaggedBatch]:
    found = []
    for part in (pairs[start : start + size] for start in range(0, len(pairs), size)):
        width = max(len(tokens) for tokens, _ in part)
        words = [[token.encode() for token in [*tokens, *[""] * (width - len(tokens))]] for tokens, _ in part]
        tags = [[*tags, *[0] * (width - len(tags))] for _, tags in part]
        features = {"tokens": tf.ones([len(part), width], tf.int64), "words": tf.constant(words)}
        length = tf.constant([len(tokens) for tokens, _ in part], tf.int64)
        features |= {"length": length, "tags": tf.constant(tags, tf.int64)}
        found.append(sentences.tagged(features, right=right))
    return found


class Reference:
    """CRFsuite, fitted to sentences in their order, with the keys of attributes as their names."""

    def __init__(self, pairs: Pairs, penalty: float, folder: Path, right: bool = True) -> None:
        trainer = pycrfsuite.Trainer(verbose=False)
        parameters = {"c1": 0, "c2": penalty, "max_iterations": 150, "feature.possible_transitions": True}
        trainer.set_params(parameters)
        self.right = right
        for tokens, tags in pairs:
            trainer.append(self.items(tokens), [f"t{tag}" for tag in tags])
        trainer.train(str(folder / "model"))
        self.tagger = pycrfsuite.Tagger()
        self.tagger.open(str(folder / "model"))

    def items(self, tokens: list[str]) -> list[list[str]]:
        return [[str(key) for key in expected(tokens, place, self.right)] for place in range(len(tokens))]

    def tags(self, tokens: list[str]) -> list[int]:
        return [int(tag[1:]) for tag in self.tagger.tag(self.items(tokens))]

    def probabilities(self, tokens: list[str]) -> np.ndarray:
        self.tagger.set(self.items(tokens))
        known = self.tagger.labels()
        return np.array(
            [
                [self.tagger.marginal(f"t{tag}", place) if f"t{tag}" in known else 0 for tag in range(TAGS)]
                for place in range(len(tokens))
            ]
        )


def exported(weights, right: bool = True) -> keras.Model:
    """A model from words and steps to log-probabilities, of the chain alone."""
    words, steps = keras.Input([None], dtype="string"), keras.Input([None], dtype="bool")
    table, chain = TagScores(len(weights.keys), TAGS, right), Chain((0.0, 1.0), backward=right)
    scores = table(words, steps)
    model = keras.Model([words, steps], chain([scores * 0 + 5, scores], steps))
    table.fill(weights)
    chain.fill(weights.pairs)
    return model


def answers(model: keras.Model, asked: list[list[str]]) -> Iterator[np.ndarray]:
    width = max(map(len, asked)) + 1
    words = tf.constant([[word.encode() for word in [*one, *[""] * (width - len(one))]] for one in asked])
    logs, _ = model([words, tf.sequence_mask([len(one) for one in asked], width)])
    return (np.exp(row[: len(one)]) for row, one in zip(logs.numpy(), asked, strict=True))


def test_probabilities_are_those_of_crfsuite_for_known_and_unknown_words(tmp_path: Path) -> None:
    train = tagged(80, seed=1)
    model = exported(crf.weights_of(batches(train), TAGS, PENALTY))
    reference = Reference(train, PENALTY, tmp_path)
    unknown = ["Ünbekannt", "大阪", "x", "", "\ud7ff", "Léo"]
    asked = [tokens for tokens, _ in tagged(40, seed=2, words=WORDS + unknown)] + [["Nice"], ["大阪"]]
    for tokens, found in zip(asked, answers(model, asked), strict=True):
        np.testing.assert_allclose(found[:, :3], reference.probabilities(tokens)[:, :3], atol=1e-5)
        # No training sentence has the last tag.
        assert (found[:, 3] < 1e-4).all()
        np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


def test_from_left_to_right_each_token_has_the_answer_at_the_end_of_its_sentence(tmp_path: Path) -> None:
    train = tagged(60, seed=3)
    model = exported(crf.weights_of(batches(train, right=False), TAGS, PENALTY), right=False)
    reference = Reference(train, PENALTY, tmp_path, right=False)
    asked = [tokens for tokens, _ in tagged(20, seed=4)]
    for tokens, found in zip(asked, answers(model, asked), strict=True):
        for place in range(len(tokens)):
            last = reference.probabilities(tokens[: place + 1])[-1]
            np.testing.assert_allclose(found[place, :3], last[:3], atol=1e-5)


def test_the_penalty_is_that_with_the_most_correct_held_out_tokens(tmp_path: Path) -> None:
    train, held = tagged(45, seed=5), tagged(20, seed=6)

    def correct(known: Pairs, unknown: Pairs, penalty: float) -> int:
        reference = Reference(known, penalty, tmp_path)
        return sum(int((np.array(reference.tags(tokens)) == tags).sum()) for tokens, tags in unknown)

    thirds = [
        [[one for n, one in enumerate(train) if (n % 3 == third) == own] for own in (False, True)] for third in range(3)
    ]
    sides = [(train, held), *thirds]
    found = {penalty: sum(correct(*side, penalty) for side in sides) for penalty in crf.PENALTIES}
    fitted = crf.fit(batches(train), batches(held), TAGS)
    assert found[fitted.penalty] == max(found.values())
    again = crf.fit(batches(train), batches(held), TAGS)
    for one, other in zip(fitted.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert crf.count_correct(fitted.weights, batches(held)) == correct(train, held, fitted.penalty)


def test_without_tokens_there_is_no_chain() -> None:
    empty = TaggedBatch(np.zeros([2, 1, 16], np.int64), np.zeros([2, 1], np.int64), np.zeros(2, np.int64))
    assert crf.fit([empty], [empty], TAGS) is None
    for sentences_in_all in (1, 2, 9):
        some = batches(tagged(sentences_in_all, seed=7))
        assert crf.fit([empty, *some], [empty], TAGS) is not None


def test_too_many_attributes_are_the_most_frequent_ones() -> None:
    assert crf.most_frequent(np.array([2, 1, 3, 2]), 2).tolist() == [True, False, True, False]
    assert crf.most_frequent(np.array([2, 1]), 5).tolist() == [True, True]
    assert (crf.width(1), crf.width(8), crf.width(10**9)) == (crf.MAX_WEIGHTS, crf.MAX_WEIGHTS // 8, 1)


@pytest.mark.parametrize(("tokens", "step"), [(0, 1), (99_601, 1), (99_602, 2), (298_804, 4)])
def test_every_nth_sentence_of_large_splits_is_read_across_batches(tokens: int, step: int) -> None:
    # A chain of two tags reads up to 99,601 tokens.
    assert sentences.most_tokens(sentences.MAX_WORK, 2) == 100_000_000 // 1_004 == 99_601
    given, parts = [], ([0], [1, 2, 3], [4, 5])
    for part in parts:
        features = {name: tf.constant(part, tf.int64) for name in ("tokens", "words", "tags", "length", "weight")}
        given.append({**features, "position": tf.zeros([4], tf.int64)})
    found = list(sentences.every_nth(given, tokens, 2))
    assert all(set(batch) == {"tokens", "words", "tags", "length", "weight"} for batch in found)
    assert [tag for batch in found for tag in batch["tags"].numpy().tolist()] == list(range(6))[::step]
