"""Weights of classes in the training loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.supervised import class_values
from trainer.training.settings import TrainingSettings


def resolve(
    settings: TrainingSettings, classes: Sequence[str], counts: Callable[[], NDArray[np.int64]]
) -> list[float] | None:
    """Returns the weight of each class by its id; None if all classes have the same weight.

    Args:
        settings: The training settings.
        classes: The name of each class.
        counts: Counts the targets of each class in the train split, int64 [classes].

    Raises:
        JobError: If the setting names an unknown class.
    """
    named = settings.class_weights
    if named is None:
        return None
    if named == "balanced":
        # King and Zeng (2001), Logistic Regression in Rare Events Data, section 3.2, for classes of equal shares.
        found = counts()
        occurring = np.count_nonzero(found)
        return [float(found.sum() / (occurring * count)) if count else 0.0 for count in found]
    return class_values.by_id("class_weights", named, classes, default=1.0)


def count(batches: tf.data.Dataset, target: str, classes: int) -> NDArray[np.int64]:
    """Counts the targets of each class, int64 [classes], without those of padded steps."""
    total = np.zeros(classes, np.int64)
    for batch in batches:
        values = np.asarray(batch[target])
        if values.ndim > 1:
            values = values[np.arange(values.shape[1]) < np.asarray(batch[f.LENGTH])[:, None]]
        total += np.bincount(values, minlength=classes)
    return total
