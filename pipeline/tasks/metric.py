"""What the gates and the Evaluator know of a metric."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric of a task, computed by one of `figure` and `stock`.

    Attributes:
        better: Which direction is better.
        lowest: The lowest possible value.
        highest: The highest possible value.
        figure: The place of a function over counts, as in `trainer.tagger.metrics:span_f1`.
        stock: The class of TensorFlow Model Analysis that computes it.
        per_class: Compute it for each class against the rest; the lowest counts. Of two classes, only the second.
        undefined: Why it may have no value; empty where no setting of a user causes that.
        gated: Whether gates may name it.
        slice: The slice that its overall gates rest on, as values by feature; empty: all examples.
        sources: The sources that it is measured on; None: any.
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


@dataclasses.dataclass(frozen=True)
class JudgedBy:
    """How the Evaluator asks a model.

    Attributes:
        signature: The signature that answers raw examples.
        labels: The signature that returns the labels of raw examples, where the metrics are stock ones.
        label_key: The output of `labels`.
        prediction_key: The output of `signature`.
    """

    signature: str = "judge"
    labels: str = ""
    label_key: str = ""
    prediction_key: str = ""
