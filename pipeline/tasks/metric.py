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
        undefined: What it means that it has no value; empty: nothing that a user can change.
    """

    better: Literal["higher", "lower"]
    lowest: float = -math.inf
    highest: float = math.inf
    undefined: str = ""


SPAN = "span_"
"""How the names of the metrics start that need tags which mark spans."""

_SPANS = Metric("higher", 0, 1, undefined="not all tags of the test split are BIO tags (B-<type>, I-<type>, O)")

MULTI_LABEL: Mapping[str, Metric] = {
    "accuracy": Metric("higher", 0, 1),
    "loss": Metric("lower"),
    "macro_f1": Metric("higher", 0, 1),
    "micro_f1": Metric("higher", 0, 1),
    "micro_precision": Metric("higher", 0, 1),
    "micro_recall": Metric("higher", 0, 1),
}
"""Metrics by name of a classifier whose documents have any number of labels."""

METRICS: Mapping[str, Mapping[str, Metric]] = {
    "classifier": {"accuracy": Metric("higher", 0, 1), "auc": Metric("higher", 0, 1), "loss": Metric("lower")},
    "dataset": {},
    "tagger": {
        "token_accuracy": Metric("higher", 0, 1),
        "loss": Metric("lower"),
        "span_f1": _SPANS,
        "span_precision": _SPANS,
        "span_recall": _SPANS,
    },
    "word2vec": {
        "spearman": Metric("higher", -1, 1),
        "analogy_accuracy": Metric("higher", 0, 1),
        "loss": Metric("lower"),
    },
}
"""Metrics by task and name."""
