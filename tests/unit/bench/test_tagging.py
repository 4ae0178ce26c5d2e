"""The peers of the tagger on sentences whose tags the test knows."""

import random

import pytest

from bench import tagging

TRAIN = [(["in", "Nice"], ["O", "B-LOC"]), (["Nice", "day", "in"], ["O", "O", "O"]), (["Nice"], ["B-LOC"])]


def test_the_most_frequent_tag_of_each_word() -> None:
    assert tagging.most_frequent(TRAIN)(["Nice", "in", "new"]) == ["B-LOC", "O", "O"]


def test_the_regression_sees_the_neighboring_words() -> None:
    draw = random.Random(1)
    train = [
        ([word, "Nice", draw.choice(["a", "b"])], ["O", {"in": "B-LOC", "a": "O"}[word], "O"])
        for word in draw.choices(["in", "a"], k=50)
    ]
    tagger = tagging.logistic_regression(train)
    assert [tagger([word, "Nice"])[1] for word in ("in", "a")] == ["B-LOC", "O"]


def test_scores_and_table() -> None:
    found = tagging.scores(tagging.most_frequent(TRAIN), TRAIN)
    # Of three predicted spans two are given, and one of six tags is wrong.
    assert found == pytest.approx({"span_f1": 0.8, "span_precision": 2 / 3, "span_recall": 1, "token_accuracy": 5 / 6})
    assert tagging.table({"a": found}).splitlines()[2] == "| a | 0.8000 | 0.6667 | 1.0000 | 0.8333 |"
