"""The description of a metric for the gates and the Evaluator."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric of a task, computed by either `figure` or `stock`.

    Attributes:
        better: Which direction is better.
        lowest: The lowest possible value.
        highest: The highest possible value.
        figure: The dotted path of a function of counts, `trainer.<task>.metrics:<function>`.
        stock: The class of TensorFlow Model Analysis that computes it.
        per_class: Whether to compute it per class against the rest, and use the lowest; of two classes, the second's.
        undefined: Why it may have no value; empty if no user setting causes that.
        gated: Whether gates may use it.
        slice: The slice that its overall gates use, as values by feature; empty: all examples.
        sources: The sources it is measured on; None: any.
    """

    better: Literal["higher", "lower"]
    lowest: float = -math.inf
    highest: float = math.inf
    figure: str = ""
    stock: str = ""
    per_class: bool = False
    undefined: str = ""
    gated: bool = True
    slice: Mapping[str, str] = MappingProxyType({})
    sources: tuple[str, ...] | None = None

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is better."""
        return self.better == "higher"


@dataclasses.dataclass(frozen=True)
class JudgedBy:
    """The signatures through which the Evaluator reads a model.

    Attributes:
        signature: The signature that evaluates raw examples.
        labels: The signature that returns the labels of raw examples, for stock metrics.
        label_key: The output of `labels`.
        prediction_key: The output of `signature`.
    """

    signature: str = "judge"
    labels: str = ""
    label_key: str = ""
    prediction_key: str = ""
