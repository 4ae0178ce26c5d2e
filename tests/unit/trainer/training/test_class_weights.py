"""Weights of classes by name and by how often they occur."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.errors import JobError
from trainer.supervised import class_weights
from trainer.training.settings import TrainingSettings

CLASSES = ["bad", "good", "mixed"]
COUNTS = np.array([6, 3, 0])


@pytest.mark.parametrize(
    ("given", "expected"), [(None, None), ({"mixed": 3, "bad": 0.5}, [0.5, 1, 3]), ("balanced", [0.75, 1.5, 0])]
)
def test_weights_by_class(given: object, expected: list[float] | None) -> None:
    found = class_weights.resolve(TrainingSettings(class_weights=given), CLASSES, lambda: COUNTS)
    assert found == expected
    if given == "balanced":
        assert np.dot(expected, COUNTS) == COUNTS.sum()


def test_an_unknown_class_is_an_error() -> None:
    with pytest.raises(JobError, match="unknown class") as caught:
        class_weights.resolve(TrainingSettings(class_weights={"god": 2}), CLASSES, lambda: COUNTS)
    assert (caught.value.found, caught.value.expected) == ("god", "bad, good, mixed")


def test_documents_are_counted_by_class() -> None:
    labels = tf.data.Dataset.from_tensor_slices([0, 2, 2, 0, 2]).batch(2).map(lambda label: {"label": label})
    assert class_weights.count(labels, "label", 4).tolist() == [2, 0, 3, 0]
    # Tags are counted up to the length. Tag 0 is a class like any other; only padding is not.
    batch = {"tags": tf.constant([[0, 1, 1], [2, 0, 0]]), "length": tf.constant([3, 2])}
    assert class_weights.count([batch], "tags", 3).tolist() == [2, 2, 1]
