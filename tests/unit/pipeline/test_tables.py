"""The format of numbers, slices and metrics."""

import io
import math

import pytest
from rich.console import Console

from pipeline.console.tables import duration, metrics_table, number, slice_name

SLICES = {
    **{"overall": "overall", "source=imdb": "imdb", "source=questions,section=family": "questions: family"},
    "source=questions,section=a,section=b": "questions: a,section=b",
}
DURATIONS = {8.26: "8.3 s", 59.94: "59.9 s", 59.96: "1 min 00 s", 125: "2 min 05 s", 3725: "1 h 02 min"}
NUMBERS = {3: "3", 45210.4: "45,210", 0.31274: "0.3127", math.nan: "nan", math.inf: "inf", -2.5: "-2.5"}


@pytest.mark.parametrize(("form", "expected"), [(slice_name, SLICES), (duration, DURATIONS), (number, NUMBERS)])
def test_the_format_of_slices_durations_and_numbers(form, expected):
    assert [form(value) for value in expected] == list(expected.values())


def test_sections_follow_their_set_and_missing_metrics_are_blank():
    metrics = {
        "source=eval": {"loss": 2.5, "documents": 40},
        "source=qs,section=family": {"documents": 1, "analogy_accuracy": 0.25},
        "overall": {"spearman": 0.5, "analogy_accuracy": 0.125, "loss": 2.5, "documents": 1059},
        "source=ws": {"spearman": 0.5, "documents": 7},
        "source=qs": {"analogy_accuracy": 0.125, "documents": 12},
    }
    console = Console(file=io.StringIO(), width=100)
    console.print(metrics_table(metrics))
    rows = [line.split() for line in console.file.getvalue().splitlines() if "─" not in line and line.strip()]
    assert rows[0] == ["slice", "analogy", "accuracy", "loss", "spearman", "documents"]
    assert [row[0] for row in rows[1:]] == ["overall", "eval", "qs", "qs:", "ws"]
    assert rows[1] == ["overall", "0.1250", "2.5000", "0.5000", "1,059"]
    assert rows[4] == ["qs:", "family", "0.2500", "1"]


def test_headings_are_not_truncated_next_to_long_slice_names():
    metrics = {"source=questions,section=gram3-comparative": {"analogy_accuracy": 0.5, "coverage": 1.0, "documents": 9}}
    console = Console(file=io.StringIO(), width=45)
    console.print(metrics_table(metrics))
    shown = console.file.getvalue()
    assert all(word in shown for word in ("analogy", "accuracy", "coverage", "documents"))
    assert "…" not in shown
