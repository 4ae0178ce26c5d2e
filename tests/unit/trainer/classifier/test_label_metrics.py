"""Metrics of any number of labels against scikit-learn and counts by hand."""

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.classifier.metrics import many_labels as metrics
from trainer.classifier.metrics.many_labels import LabelCounts, micro_f1

CLASSES = ["a", "b", "c", "d"]
SETS = st.sets(st.sampled_from(CLASSES))
Documents = list[tuple[set[str], set[str]]]


def count(documents: Documents, losses: list[float] | None = None, classes: list[str] = CLASSES) -> LabelCounts:
    counts = LabelCounts()
    for (wanted, found), loss in zip(documents, losses or [0.0] * len(documents), strict=True):
        counts.add(classes, wanted, found, loss)
    return counts


def hot(sets: list[set[str]]) -> np.ndarray:
    return np.array([[name in labels for name in CLASSES] for labels in sets])


@given(st.lists(st.tuples(SETS, SETS), min_size=1, max_size=8))
@settings(max_examples=50)
def test_figures_match_scikit_learn(documents: Documents) -> None:
    counts = count(documents)
    pair = hot([wanted for wanted, _ in documents]), hot([found for _, found in documents])
    for average, figure in (("micro", micro_f1), ("macro", metrics.macro_f1)):
        score = sklearn.metrics.f1_score(*pair, average=average, zero_division=np.nan)
        assert figure(counts) == pytest.approx(score, nan_ok=True)
    for name, figure in (("precision", metrics.micro_precision), ("recall", metrics.micro_recall)):
        score = getattr(sklearn.metrics, f"{name}_score")
        assert figure(counts) == pytest.approx(score(*pair, average="micro", zero_division=np.nan), nan_ok=True)
    assert metrics.exact_match(counts) == pytest.approx(sklearn.metrics.accuracy_score(*pair))


def test_figures_match_those_computed_by_hand() -> None:
    # a: 1 found of 2 given and 1 predicted; b: none of 0 and 1; x, which the model does not know: none of 1 and 0.
    counts = count([({"a"}, {"a"}), ({"a", "x"}, {"b"}), (set(), set())], [0.5, 1.0, 0.0])
    assert metrics.exact_match(counts) == 2 / 3
    assert metrics.mean_loss(counts) == 0.5
    assert (metrics.micro_precision(counts), metrics.micro_recall(counts), micro_f1(counts)) == (1 / 2, 1 / 3, 2 / 5)
    # c and d, which no document has and the model never predicts, have no F1.
    assert metrics.macro_f1(counts) == pytest.approx((2 / 3) / 3)
    assert all(math.isnan(figure(LabelCounts())) for figure in (metrics.exact_match, metrics.mean_loss))


def test_a_figure_without_a_value_has_a_reason() -> None:
    figures = (metrics.micro_precision, metrics.micro_recall, micro_f1, metrics.macro_f1)

    def reasons(*documents: tuple[set[str], set[str]]) -> list[str | None]:
        return [getattr(figure(count([*documents])), "reason", None) for figure in figures]

    assert reasons((set(), set())) == ["has no predicted label", "has no label", "has no label", "has no label"]
    assert reasons(({"a"}, set())) == ["has no predicted label", None, None, None]
    assert reasons((set(), {"a"})) == [None, "has no label", None, None]


def test_a_record_counts_as_a_document() -> None:
    counts = LabelCounts()
    answer = {"labels": [[b"a", b"b"]], "predicted": [[True, False]], "given": [[b"a", b"x", b""]], "loss": [0.5]}
    counts.add_record({name: np.array(value) for name, value in answer.items()}, {})
    assert counts == count([({"a", "x"}, {"a"})], [0.5], ["a", "b"])
    counts.update(counts)
    assert (counts.documents, counts.given, counts.loss) == (2, {"a": 2, "b": 0, "x": 2}, 1)
