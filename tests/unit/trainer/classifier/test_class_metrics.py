"""Metrics of one label per document against scikit-learn and counts by hand."""

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.classifier.metrics.one_label import ClassCounts, accuracy, auc, mean_loss

CLASSES = ["a", "b", "c"]
# Steps of a hundredth, which the ranking keeps apart.
SCORES = st.lists(st.integers(1, 98), min_size=3, max_size=3).map(lambda scores: [score / 100 for score in scores])


def count(documents: list[tuple[str, list[float]]], classes: list[str] = CLASSES) -> ClassCounts:
    counts = ClassCounts()
    for label, probabilities in documents:
        one = ClassCounts()
        names = np.array([[name.encode() for name in classes]])
        one.add_record(
            {"labels": names, "probabilities": np.array([probabilities])}, {"label": np.array([label.encode()])}
        )
        counts.update(one)
    return counts


@given(st.lists(st.tuples(st.sampled_from(CLASSES), SCORES), min_size=1, max_size=30))
@settings(max_examples=50)
def test_figures_match_scikit_learn(documents: list[tuple[str, list[float]]]) -> None:
    counts, labels = count(documents), [label for label, _ in documents]
    scores = np.array([scores for _, scores in documents])
    found = [CLASSES[best] for best in scores.argmax(axis=1)]
    assert accuracy(counts) == sklearn.metrics.accuracy_score(labels, found)
    own = [scores[row, CLASSES.index(label)] for row, label in enumerate(labels)]
    assert mean_loss(counts) == pytest.approx(-np.log(own).mean())
    if set(labels) == set(CLASSES):
        areas = [
            sklearn.metrics.roc_auc_score([label == name for label in labels], scores[:, column])
            for column, name in enumerate(CLASSES)
        ]
        assert auc(counts) == pytest.approx(min(areas), abs=1e-12)
    else:
        missing = ", ".join(sorted({*CLASSES} - {*labels}))
        assert (math.isnan(auc(counts)), getattr(auc(counts), "reason", "")) == (True, f"has no document of {missing}")


def test_of_two_classes_the_second_is_ranked() -> None:
    documents = [("neg", [0.9, 0.1]), ("pos", [0.6, 0.4]), ("neg", [0.5, 0.5]), ("pos", [0.1, 0.9])]
    assert auc(count(documents, ["neg", "pos"])) == 3 / 4
    assert {name for name, _, _ in count(documents, ["neg", "pos"]).ranked} == {"pos"}
    assert getattr(auc(count([documents[1]], ["neg", "pos"])), "reason", "") == "has no document of neg"


def test_shares_are_exact_and_an_unknown_label_costs_the_minimum_probability() -> None:
    right, wrong = ("a", [0.8, 0.1, 0.1]), ("b", [0.8, 0.1, 0.1])
    assert accuracy(count([right] * 9 + [wrong])) == 0.9
    assert mean_loss(count([("x", [0.8, 0.1, 0.1]), ("a", [1.0, 0.0, 0.0])])) == -math.log(1e-7) / 2
    assert mean_loss(count([("b", [1.0, 0.0, 0.0])])) == -math.log(1e-7)
    assert math.isnan(mean_loss(count([("a", [math.nan] * 3)])))
