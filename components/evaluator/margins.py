"""Margins between a model's metrics and the linear model's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

ROUNDING = 1e-12
"""The largest rounding error of the difference of two metrics, which may lie beyond a margin; values are exact."""


class Margin(NamedTuple):
    """How much better than the linear model's a metric has to be.

    Attributes:
        least: The least lead; negative: how much worse it may be.
        higher_is_better: Whether a higher value is better.
    """

    least: float
    higher_is_better: bool

    def met(self, value: float, linear: float) -> bool:
        """Returns whether the value of a model keeps the margin; a missing value (NaN) on either side does not."""
        lead = value - linear if self.higher_is_better else linear - value
        return lead >= self.least - ROUNDING


def failed(margins: Mapping[str, Margin], model: Mapping[str, float], linear: Mapping[str, float]) -> Iterator[str]:
    """Yields the names of the metrics that do not keep their margin, from the metrics of both models."""
    missing = float("nan")
    for name, margin in margins.items():
        if not margin.met(model.get(name, missing), linear.get(name, missing)):
            yield name
