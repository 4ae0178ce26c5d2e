"""Ratios of pairs, limits and the Markdown of the data benchmarks."""

from __future__ import annotations

import pytest

from bench.data import alternate
from bench.data_tables import Limit, Row, pair_row, ratio_table, table


def test_a_ratio_is_the_median_of_the_pairs_and_not_the_ratio_of_the_medians() -> None:
    row = Row("rate", left=[10, 40, 90], right=[10, 20, 10])
    assert row.cells() == ["rate", "**2**", "1 to 9", "-", "40", "10"]
    assert Row("rate", left=[1, 2, 3, 8], right=[1, 1, 1, 1]).ratio == 2.5
    with pytest.raises(ValueError, match="shorter"):
        _ = Row("rate", left=[1, 2], right=[1]).ratio


def test_a_limit_says_whether_it_is_met() -> None:
    assert [Limit(3).describe(ratio) for ratio in (3.0, 2.99)] == ["at least 3: met", "at least 3: missed"]
    most = Limit(1.1, least=False)
    assert [most.describe(ratio) for ratio in (1.1, 1.11)] == ["at most 1.1: met", "at most 1.1: missed"]


def test_a_row_takes_its_values_from_both_sides_in_their_order() -> None:
    sides = {"new": [(100, 4), (100, 5)], "old": [(100, 10), (100, 20)]}
    row = pair_row("documents/s", sides, lambda run: run[0] / run[1], digits=1, limit=Limit(3))
    assert (row.left, row.right) == ([25, 20], [10, 5])
    assert row.cells() == ["documents/s", "**3.25**", "2.5 to 4", "at least 3: met", "22.5", "7.5"]


def test_tables_are_markdown_with_the_ratio_first() -> None:
    row = Row("peak", left=[1.5], right=[1.0], digits=2)
    assert ratio_table([row], "large", "small").splitlines() == [
        "|  | large / small | pairs | limit | large | small |",
        "| --- | --- | --- | --- | --- | --- |",
        "| peak | **1.5** | one pair | - | 1.50 | 1.00 |",
    ]
    assert table([["a"], ["1"], ["2"]]) == "| a |\n| --- |\n| 1 |\n| 2 |"


def test_pairs_alternate_and_so_does_the_first_side() -> None:
    order: list[str] = []

    def measure(measured: str) -> int:
        order.append(measured)
        return len(order)

    sides = {"a": lambda pair: measure(f"a{pair}"), "b": lambda pair: measure(f"b{pair}")}
    assert alternate(sides, 3) == {"a": [1, 4, 5], "b": [2, 3, 6]}
    assert order == ["a0", "b0", "b1", "a1", "a2", "b2"]
