"""The lowest probability of a predicted label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.classifier.settings import DEFAULT_THRESHOLD, Thresholds
from trainer.supervised import class_values


def given(thresholds: Thresholds, classes: Sequence[str]) -> NDArray[np.float32] | None:
    """Returns the threshold of each class by its id; None if they are to be tuned.

    Raises:
        JobError: If the setting names an unknown class.
    """
    if thresholds == "tuned":
        return None
    if not isinstance(thresholds, dict):
        return np.full(len(classes), thresholds, np.float32)
    return np.array(class_values.by_id("thresholds", thresholds, classes, DEFAULT_THRESHOLD), np.float32)


def tuned(probabilities: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Returns the threshold of each class with the highest F1, float32 [classes].

    This is SCut of Yang (2001), A Study of Thresholding Strategies for Text Categorization, section 2.3. A threshold
    lies midway between two probabilities; ties go to the highest one. A class that no document has keeps one half.

    Args:
        probabilities: Probabilities of labels, [documents, classes].
        wanted: The true labels, [documents, classes].
    """
    columns = zip(probabilities.T, wanted.T, strict=True)
    return np.array([_tuned(*column) if column[1].any() else DEFAULT_THRESHOLD for column in columns], np.float32)


def _tuned(probabilities: NDArray[np.float32], wanted: NDArray[np.bool_]) -> np.float32:
    order = np.argsort(-probabilities, kind="stable")
    falling = probabilities[order]
    right = np.cumsum(wanted[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + right[-1])
    below = np.append(falling[1:], np.float32(0))
    # No threshold lies between equal probabilities.
    last = int(np.argmax(np.where(falling > below, f1, -1)))
    middle = np.float32((float(falling[last]) + float(below[last])) / 2)
    return middle if middle > below[last] else falling[last]
