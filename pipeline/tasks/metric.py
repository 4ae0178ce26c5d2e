"""The description of a metric for the gates and the Evaluator."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric of a task.

    Attributes:
        better: Which direction is better.
        figure: The dotted path of the function of counts that computes it, `trainer.<task>.metrics:<function>`.
        lowest: The lowest possible value.
        highest: The highest possible value.
        gated: Whether gates may use it.
        slice: The slice that its overall gates use, as values by feature; empty: all examples.
        sources: The sources it is measured on; None: any.
        records: The name of all records that it is measured on.
        linear: Whether it is also measured on the linear model of the run.
        documents: Whether it is a share of the documents, each of which is right or wrong.
    """

    better: Literal["higher", "lower"]
    figure: str
    lowest: float = -math.inf
    highest: float = math.inf
    gated: bool = True
    slice: Mapping[str, str] = MappingProxyType({})
    sources: tuple[str, ...] | None = None
    records: str = "the test split"
    linear: bool = False
    documents: bool = False

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is better."""
        return self.better == "higher"
