"""Ratios of measured pairs and the Markdown tables that show them."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

_Measured = TypeVar("_Measured")


@dataclasses.dataclass(frozen=True)
class Limit:
    """What a ratio must reach.

    Attributes:
        value: The bound.
        least: Whether the ratio must be at least it; otherwise at most.
    """

    value: float
    least: bool = True

    def told(self, ratio: float) -> str:
        """The limit in words, and whether the ratio keeps it."""
        kept = ratio >= self.value if self.least else ratio <= self.value
        return f"{'at least' if self.least else 'at most'} {self.value:g}: {'met' if kept else 'missed'}"


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of a table: one quantity measured on both sides, pair by pair.

    Attributes:
        name: What is measured.
        left: The values of the side that the ratio is of, one a pair.
        right: The values of the side that the ratio is to, one a pair.
        digits: Decimals of the values.
        limit: What the ratio must reach, or None.
    """

    name: str
    left: Sequence[float]
    right: Sequence[float]
    digits: int = 0
    limit: Limit | None = None

    @property
    def ratios(self) -> list[float]:
        """Left over right, one a pair."""
        return [left / right for left, right in zip(self.left, self.right, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: what slows the machine for a while slows both sides of a pair."""
        return statistics.median(self.ratios)

    def cells(self) -> list[str]:
        """The cells of the line."""
        ratios = sorted(self.ratios)
        return [
            self.name,
            f"**{self.ratio:.3g}**",
            f"{ratios[0]:.3g} to {ratios[-1]:.3g}" if len(ratios) > 1 else "one pair",
            self.limit.told(self.ratio) if self.limit else "-",
            *(f"{statistics.median(side):,.{self.digits}f}" for side in (self.left, self.right)),
        ]


def pair_row(
    name: str,
    sides: Mapping[str, Sequence[_Measured]],
    value: Callable[[_Measured], float],
    *,
    digits: int = 0,
    limit: Limit | None = None,
) -> Row:
    """The line of one value of paired measurements.

    Args:
        name: What is measured.
        sides: Two sides in order, each with its measurements, one a pair.
        value: Takes the value from a measurement.
        digits: Decimals of the values.
        limit: What the ratio must reach, or None.
    """
    left, right = ([value(measured) for measured in side] for side in sides.values())
    return Row(name, left, right, digits, limit)


def ratio_table(rows: Sequence[Row], left: str, right: str) -> str:
    """A Markdown table, ratios first.

    Args:
        rows: Its lines.
        left: Whose values are divided.
        right: Whose values they are divided by.
    """
    header = ["", f"{left} / {right}", "pairs", "limit", left, right]
    return table([header, *(row.cells() for row in rows)])


def table(lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells; the first line is its header."""
    header, *rest = lines
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *rest])
