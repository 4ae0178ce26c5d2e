"""Reads the metrics that TensorFlow Model Analysis wrote."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import tensorflow_model_analysis as tfma

from components.evaluator.figure_metric import REASON
from trainer.jobs.counting import Undefined

OVERALL = "overall"

Metrics = Mapping[str, Mapping[str, float]]
"""Value by metric, by slice: "overall", "source=imdb"."""


def read_metrics(directory: str, model: str | None = None) -> Metrics:
    """Reads the metrics of a model; those that have no value are `Undefined`.

    Args:
        directory: The Evaluator's output.
        model: `candidate` or `baseline` if both were evaluated.
    """
    result = tfma.load_eval_result(directory, model_name=model)
    return {slice_name(dict(key)): _values(found[""][""]) for key, found in result.slicing_metrics}


def slice_name(values: Mapping[str, Any]) -> str:
    """Returns the name of a slice from its values, source first."""
    ordered = sorted(values.items(), key=lambda pair: pair[0] != "source")
    return ",".join(f"{name}={value}" for name, value in ordered) or OVERALL


def _values(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in metrics.items():
        # Differences from the baseline are skipped; NaN and infinity are strings.
        if "doubleValue" in value and not name.endswith("_diff"):
            found.setdefault(name, float(value["doubleValue"]))
        elif name.endswith(REASON):
            found[name.removesuffix(REASON)] = Undefined(base64.b64decode(value["bytesValue"]).decode())
    return found
