"""Ratios of measured pairs and the Markdown tables that show them."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

_Measured = TypeVar("_Measured")


@dataclasses.dataclass(frozen=True)
class Limit:
    """A bound that a ratio must reach (`least`) or must not exceed."""

    value: float
    least: bool = True

    def describe(self, ratio: float) -> str:
        """Returns the limit in words, and whether the ratio meets it."""
        kept = ratio >= self.value if self.least else ratio <= self.value
        return f"{'at least' if self.least else 'at most'} {self.value:g}: {'met' if kept else 'missed'}"


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table: one quantity of both sides, pair by pair, with its decimals and the limit of the ratio."""

    name: str
    left: Sequence[float]
    right: Sequence[float]
    digits: int = 0
    limit: Limit | None = None

    @property
    def ratios(self) -> list[float]:
        """The ratios, one per pair."""
        return [left / right for left, right in zip(self.left, self.right, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: a slow phase of the machine affects both sides of a pair."""
        return statistics.median(self.ratios)

    def cells(self) -> list[str]:
        """Returns the cells of the row."""
        ratios = sorted(self.ratios)
        return [
            self.name,
            f"**{self.ratio:.3g}**",
            f"{ratios[0]:.3g} to {ratios[-1]:.3g}" if len(ratios) > 1 else "one pair",
            self.limit.describe(self.ratio) if self.limit else "-",
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
    """Makes the row of one value of two sides' measurements, numerator first."""
    left, right = ([value(measured) for measured in side] for side in sides.values())
    return Row(name, left, right, digits, limit)


def ratio_table(rows: Sequence[Row], left: str, right: str) -> str:
    """Makes a Markdown table, ratios first; `left` names the numerator's side."""
    header = ["", f"{left} / {right}", "pairs", "limit", left, right]
    return table([header, *(row.cells() for row in rows)])


def table(lines: Sequence[Sequence[str]]) -> str:
    """Makes a Markdown table of cells; the first row is its header."""
    header, *rest = lines
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *rest])
