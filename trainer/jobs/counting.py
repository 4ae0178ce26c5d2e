"""Counts of judged records; metrics are computed from them, so that sharding does not change a metric."""

from __future__ import annotations

import abc
import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

Arrays = Mapping[str, Any]
"""NumPy arrays of one record by name."""

MIN_PROBABILITY = 1e-7
"""The minimum probability of a class in a loss, as in Keras' losses."""

_NORMAL_97_5 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


class Undefined(float):
    """The value, NaN, of a metric that has none, with the reason.

    Attributes:
        reason: What the records are or lack, after their name: "has no document of neg".
    """

    reason: str

    def __new__(cls, reason: str) -> Undefined:
        """Creates a value with its reason."""
        value = super().__new__(cls, math.nan)
        value.reason = reason
        return value


@dataclasses.dataclass
class Counts(abc.ABC):
    """Counts over records; subclasses add fields (numbers, lists and Counters) that are empty at first.

    Attributes:
        FEATURES: The features of a record that are counted in addition to the model's answer.
        loss: The sum of the losses in nats, without rounding; a float if one of them is not finite.
    """

    FEATURES: ClassVar[tuple[str, ...]] = ()

    loss: Fraction | float = Fraction(0)

    @abc.abstractmethod
    def add_record(self, answer: Arrays, features: Arrays) -> None:
        """Counts one record, from the answer of the model's signature and the record's `FEATURES`."""

    def update(self, other: Counts) -> None:
        """Adds other counts of the same class."""
        for field in dataclasses.fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if isinstance(mine, Counter):
                mine.update(theirs)  # A sum would drop the keys that count 0.
            else:
                setattr(self, field.name, mine + theirs)


def unrounded(loss: float) -> Fraction | float:
    """Returns a loss in a form that adds up without rounding, if it is finite."""
    return Fraction(loss) if math.isfinite(loss) else loss


def mean(total: Fraction | float, number: int) -> float:
    """Divides a sum over records by their number; NaN without any."""
    return float(total / number) if number else math.nan


def share(part: int, whole: int, absent: str) -> float:
    """Divides counts; without a whole there is no value, because the records have no `absent`."""
    return part / whole if whole else Undefined(f"has no {absent}")


def interval(share: float, number: int) -> tuple[float, float]:
    """Returns the 95 % confidence interval of a share of a number of independent records, the score interval.

    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
    """
    squared = _NORMAL_97_5**2 / number
    center = share + squared / 2
    spread = math.sqrt(squared * (share * (1 - share) + squared / 4))
    return max(0.0, (center - spread) / (1 + squared)), min(1.0, (center + spread) / (1 + squared))
