"""The data benchmarks: their corpus and buckets, measurements of processes, and tables of pairs."""

import collections
import csv
import itertools
from pathlib import Path

import pytest

from bench.datasets import data_corpus
from bench.datasets.data import alternate
from bench.datasets.data_read import bucket_boundaries
from bench.measuring.data_process import run_python
from bench.measuring.data_tables import Limit, Row, pair_row, ratio_table, table
from trainer.errors import JobError


def rows(corpus: data_corpus.Corpus) -> list[dict[str, str]]:
    with corpus.path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_corpus_is_an_even_sample_of_both_classes(tmp_path: Path) -> None:
    corpus = data_corpus.write(tmp_path / "reviews.csv", 100)
    read = rows(corpus)
    assert corpus.documents == len(read) == 100
    assert corpus.text_bytes == sum(len(row["text"].encode()) for row in read)
    assert collections.Counter(row["label"] for row in read) == {"0": 50, "1": 50}
    assert {row["source"] for row in read} == {"imdb"}


def test_copies_have_ids_and_texts_of_their_own(tmp_path: Path) -> None:
    once = rows(data_corpus.write(tmp_path / "once.csv", 50))
    thrice = rows(data_corpus.write(tmp_path / "thrice.csv", 50, copies=3))
    assert thrice[:50] == once
    assert len({row["id"] for row in thrice}) == len({row["text"] for row in thrice}) == 150
    for copy in (1, 2):
        part = thrice[copy * 50 : (copy + 1) * 50]
        assert [row["text"] for row in part] == [f"{row['text']} copy{copy}" for row in once]


def test_too_many_reviews_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="unexpected number of reviews"):
        data_corpus.write(tmp_path / "reviews.csv", data_corpus.REVIEWS + 1)


def test_buckets_grow_by_a_tenth_and_reach_the_longest() -> None:
    boundaries = bucket_boundaries(1_000)
    assert boundaries[:4] == [8, 9, 10, 11]
    assert all(1 <= after - before <= max(1, before / 10) for before, after in itertools.pairwise(boundaries))
    assert 900 < boundaries[-1] < 1_000


# The tests' own process is large; a process that starts small measures as the benchmarks do.
MEASURE = """
import sys
from pathlib import Path
from bench.measuring.data_process import run_python
for code in ("big = b'x' * 300_000_000; print(len(big))", "print(1)"):
    ended = run_python(["-c", code], Path(sys.argv[1]))
    print(ended.output.strip(), ended.peak_bytes, ended.seconds > 0)
"""


def test_a_process_has_its_own_output_and_peak_memory(tmp_path: Path) -> None:
    printed = run_python(["-c", MEASURE, str(tmp_path / "inner.log")], tmp_path / "outer.log").output.split()
    assert (printed[0], printed[2], printed[3], printed[5]) == ("300000000", "True", "1", "True")
    assert int(printed[1]) - int(printed[4]) > 250_000_000


def test_a_failed_process_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(JobError) as failed:
        run_python(["-c", "import sys; sys.exit('the disk is full')"], tmp_path / "log")
    assert "exit code 1\nthe disk is full" in str(failed.value)


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
