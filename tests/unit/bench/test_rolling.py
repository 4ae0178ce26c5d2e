"""The corpus of the benchmark of rolling windows."""

import csv
from pathlib import Path

from bench import rolling


def test_the_corpus_has_spans_of_equal_size_and_all_labels(tmp_path: Path) -> None:
    job = rolling.write_job(tmp_path, 80)
    assert (job.parent, job.name) == (tmp_path, "rolling.yaml")
    spans = [
        list(csv.DictReader((tmp_path / f"{span}.csv").open(newline="", encoding="utf-8"))) for span in range(1, 9)
    ]
    assert [len(rows) for rows in spans] == [10] * 8
    assert len({row["text"] for rows in spans for row in rows}) == 80
    assert all({row["label"] for row in rows} == {"0", "1"} for rows in spans)
