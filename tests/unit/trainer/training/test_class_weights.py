"""Weights of classes by name and by how often they occur."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.errors import JobError
from trainer.supervised import class_weights
from trainer.training.settings import TrainingSettings

CLASSES = ["bad", "good", "mixed"]


def counts() -> np.ndarray:
    return np.array([6, 3, 0])


def test_none_are_needed_where_none_are_given() -> None:
    assert class_weights.resolve(TrainingSettings(), CLASSES, counts) is None


def test_named_classes_have_their_weight_and_the_others_1() -> None:
    settings = TrainingSettings(class_weights={"mixed": 3, "bad": 0.5})
    assert class_weights.resolve(settings, CLASSES, counts) == [0.5, 1, 3]


def test_a_class_that_there_is_not_is_an_error() -> None:
    with pytest.raises(JobError, match="unknown class") as caught:
        class_weights.resolve(TrainingSettings(class_weights={"god": 2}), CLASSES, counts)
    assert (caught.value.found, caught.value.expected) == ("god", "bad, good, mixed")


def test_balanced_classes_count_alike_and_targets_1_in_the_mean() -> None:
    found = class_weights.resolve(TrainingSettings(class_weights="balanced"), CLASSES, counts)
    assert found == [0.75, 1.5, 0]
    assert np.dot(found, counts()) == counts().sum()


def test_documents_are_counted_by_class() -> None:
    labels = tf.data.Dataset.from_tensor_slices([0, 2, 2, 0, 2]).batch(2).map(lambda label: {"label": label})
    assert class_weights.count(labels, "label", 4).tolist() == [2, 0, 3, 0]


def test_tags_are_counted_up_to_the_length() -> None:
    # Tag 0 is a class as any other; only padding is none.
    batch = {"tags": tf.constant([[0, 1, 1], [2, 0, 0]]), "length": tf.constant([3, 2])}
    assert class_weights.count([batch], "tags", 3).tolist() == [2, 2, 1]
