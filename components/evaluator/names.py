"""Names that the pipeline shares with the Evaluator's metrics, without importing TensorFlow Model Analysis."""

from __future__ import annotations

FIGURE_METRIC = "components.evaluator.figure_metric", "FigureMetric"
"""The module and the class of the metrics."""

REASON = " has no value"
"""The suffix of the name under which the reason is reported why a metric has no value."""
