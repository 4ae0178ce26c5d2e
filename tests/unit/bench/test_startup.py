"""The benchmark of fixed costs: its corpus, the cost of a process, and the table."""

import csv
from pathlib import Path

import pytest

from bench import startup

ROOT = Path(__file__).resolve().parents[3]


def test_the_corpus_has_the_given_number_of_reviews_of_all_labels_and_sources(tmp_path: Path) -> None:
    job = startup.write_job(tmp_path, 50)
    rows = list(csv.DictReader((tmp_path / "reviews.csv").open(newline="", encoding="utf-8")))
    assert (job.name, len(rows), len({row["text"] for row in rows})) == ("small.yaml", 50, 50)
    assert {(row["label"], row["source"]) for row in rows} == {
        (label, source) for label in "01" for source in ("imdb", "rotten_tomatoes")
    }


def test_a_process_costs_processor_time() -> None:
    cost = startup.run(ROOT, ["--version"])
    assert cost.elapsed > 0
    assert cost.processor > 0


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="The model or root does not exist"):
        startup.run(ROOT, ["predict", str(tmp_path / "missing"), "x"])


def test_the_table_has_medians_by_command_and_checkout() -> None:
    one, two = Path("/a/new"), Path("/a/old")
    costs = {one: [startup.Cost(1, 4), startup.Cost(9, 5), startup.Cost(2, 6)], two: [startup.Cost(3, 7)]}
    lines = [line.split() for line in startup.report({"predict": costs}).splitlines()]
    assert [line for line in lines if "predict" in line] == [
        ["|", "predict", "|", "new", "|", "2.0", "|", "5.0", "|"],
        ["|", "predict", "|", "old", "|", "3.0", "|", "7.0", "|"],
    ]
