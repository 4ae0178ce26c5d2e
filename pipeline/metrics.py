"""The metrics of each task that a job's gates may name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """What the gates have to know of a metric.

    Attributes:
        better: Which way is better.
        lowest: The least value that it can have.
        highest: The greatest.
    """

    better: Literal["higher", "lower"]
    lowest: float = -math.inf
    highest: float = math.inf


METRICS: Mapping[str, Mapping[str, Metric]] = {
    "classifier": {"accuracy": Metric("higher", 0, 1), "auc": Metric("higher", 0, 1), "loss": Metric("lower")},
    "dataset": {},
    "word2vec": {
        "spearman": Metric("higher", -1, 1),
        "analogy_accuracy": Metric("higher", 0, 1),
        "loss": Metric("lower"),
    },
}
"""Metrics by task and name."""
