"""The objective of any number of labels against NumPy and Keras, and thresholds against all candidates."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from trainer.classifier import thresholds
from trainer.classifier.multi_label import MultiLabel
from trainer.classifier.multi_label_servable import multi_hot
from trainer.classifier.settings import ClassifierSettings
from trainer.errors import JobError
from trainer.supervised.samples import describe_labels

LABELS = [[0, 2, -1], [-1, -1, -1], [1, -1, -1]]
HEAD = MultiLabel(ClassifierSettings(), "abc")
HOT = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_a_document_is_the_mean_over_the_classes(smoothing: float) -> None:
    logits = np.random.default_rng(0).normal(size=[3, 3], scale=3).astype(np.float32)
    logits[1] = [-1, 0, -2]  # a probability of one half is a label
    logits[2] = [-1, 2, -0.1]
    outcome = HEAD.judge({"labels": tf.constant(LABELS, tf.int64)}, tf.constant(logits), smoothing)
    probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
    wanted = HOT * (1 - smoothing) + smoothing / 2
    by_class = -wanted * np.log(probabilities) - (1 - wanted) * np.log(1 - probabilities)
    np.testing.assert_allclose(outcome.losses, by_class.mean(axis=1), rtol=1e-5)
    reference = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
    np.testing.assert_allclose(outcome.losses, reference(tf.constant(HOT, tf.float32), logits), rtol=1e-5)
    assert outcome.correct.numpy().tolist()[1:] == [False, True]
    np.testing.assert_array_equal(outcome.weights, [1, 1, 1])
    np.testing.assert_array_equal(multi_hot(tf.constant(LABELS, tf.int64), 3), HOT)
    assert multi_hot(tf.zeros([0, 1], tf.int64), 3).shape == (0, 3)


def best_f1(probabilities: np.ndarray, wanted: np.ndarray) -> float:
    """The highest F1 of any threshold."""
    edges = np.unique(np.append(probabilities, [0, 1]))
    candidates = [(low + high) / 2 for low, high in itertools.pairwise(edges)] + edges.tolist()
    return max(f1_score(wanted, probabilities >= candidate, zero_division=0) for candidate in candidates)


PROBABILITIES = st.sampled_from([0.1, 0.2, 0.25, 0.5, 0.7, 0.9]) | st.floats(1 / 64, 63 / 64, width=32)


@given(st.lists(st.tuples(PROBABILITIES, st.booleans()), min_size=1, max_size=12))
@settings(max_examples=60)
def test_a_tuned_threshold_has_the_highest_f1_of_all(documents: list[tuple[float, bool]]) -> None:
    probabilities = np.array([[probability] for probability, _ in documents], np.float32)
    wanted = np.array([[label] for _, label in documents])
    (threshold,) = thresholds.tuned(probabilities, wanted)
    if not wanted.any():
        assert threshold == 0.5
        return
    assert 0 < threshold <= 1
    found = f1_score(wanted[:, 0], probabilities[:, 0] >= threshold, zero_division=0)
    assert found == pytest.approx(best_f1(probabilities[:, 0], wanted[:, 0]))


def test_a_tuned_threshold_lies_midway_and_each_class_has_its_own() -> None:
    probabilities = np.array([[0.9, 0.4], [0.6, 0.3], [0.2, 0.1]], np.float32)
    wanted = np.array([[True, False], [False, False], [False, False]])
    assert thresholds.tuned(probabilities, wanted).tolist() == pytest.approx([0.75, 0.5])
    assert thresholds.tuned(probabilities, np.ones([3, 2], bool)).tolist() == pytest.approx([0.1, 0.05])
    next_to_it = np.nextafter(np.float32(0.3), np.float32(1))
    near = np.array([[next_to_it], [0.3]], np.float32)
    (threshold,) = thresholds.tuned(near, np.array([[True], [False]]))
    assert threshold == next_to_it


def test_thresholds_of_the_settings() -> None:
    assert thresholds.given("tuned", ["a"]) is None
    assert thresholds.given(0.3, ["a", "b"]).tolist() == pytest.approx([0.3, 0.3])
    assert thresholds.given({"b": 0.2}, ["a", "b"]).tolist() == pytest.approx([0.5, 0.2])
    with pytest.raises(JobError, match="unknown class") as caught:
        thresholds.given({"c": 0.2}, ["a", "b"])
    assert (caught.value.found, caught.value.expected) == ("c", "a, b")


@pytest.mark.parametrize("value", [0, 1, 1.5, True, "best", {}, {"a": 0}, {"a": "x"}, [0.5]])
def test_invalid_thresholds_are_rejected_with_one_message(value: object) -> None:
    with pytest.raises(ValueError, match="neither tuned nor a number between 0 and 1") as caught:
        ClassifierSettings(thresholds=value)
    assert len(caught.value.errors()) == 1


def test_documents_are_shown_with_predicted_and_true_labels() -> None:
    batch = {
        "tokens": np.array([[4, 5], [5, 0], [4, 4]]),
        "length": np.array([2, 1, 2]),
        "labels": np.array([[0, 1], [-1, -1], [1, -1]]),
    }
    logits = np.array([[1.0, 0.0], [-1.0, -1.0], [1.0, -1.0]])
    shown = describe_labels(batch, logits, "labels", ["<pad>", "<unk>", "<bos>", "<eos>", "w", "x"], ["a", "b"])
    assert shown.split("\n\n") == ["a, b: w x", "no label: x", "**a (true: b)**: w w"]
