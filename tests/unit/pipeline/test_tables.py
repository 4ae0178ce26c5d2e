"""How slices and their metrics are written."""

import io

import pytest
from rich.console import Console

from pipeline.tables import metrics_table, slice_name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("overall", "overall"),
        ("source=imdb", "imdb"),
        ("source=questions,section=family", "questions: family"),
        ("source=questions,section=a,section=b", "questions: a,section=b"),
    ],
)
def test_a_slice_is_named_as_people_say_it(name, said):
    assert slice_name(name) == said


def test_sections_stand_below_their_set_and_what_is_not_measured_is_blank():
    metrics = {
        "source=eval": {"loss": 2.5, "documents": 40},
        "source=qs,section=family": {"analogy_accuracy": 0.25, "documents": 4},
        "overall": {"spearman": 0.5, "analogy_accuracy": 0.125, "loss": 2.5, "documents": 59},
        "source=ws": {"spearman": 0.5, "documents": 7},
        "source=qs": {"analogy_accuracy": 0.125, "documents": 12},
    }
    console = Console(file=io.StringIO(), width=100)
    console.print(metrics_table(metrics))
    rows = [line.split() for line in console.file.getvalue().splitlines() if "─" not in line and line.strip()]
    assert sorted(rows[0]) == sorted(["slice", "loss", "documents", "analogy", "accuracy", "spearman"])
    assert [row[0] for row in rows[1:]] == ["overall", "eval", "qs", "qs:", "ws"]
    assert rows[4] == ["qs:", "family", "4", "0.2500"]
