import json
from typing import Any, Literal

import pytest

from components.corpus_example_gen.writing import accounting
from components.corpus_example_gen.writing.accounting import Summary
from components.corpus_example_gen.writing.split_assignment import SplitRule
from trainer.errors import JobError

WEIGHTS = {"train": 8, "eval": 1, "test": 1}


def check(counts: Summary, limit: float = 0.01, by: Literal["hash", "file", "column"] = "hash") -> None:
    rule = SplitRule(by, WEIGHTS)
    accounting.check(counts, pattern="/data/*.csv", rule=rule, max_bad_fraction=limit, quarantine="/q/records.jsonl")


def written(train: int = 0, eval: int = 0, test: int = 0) -> dict[str, int]:
    return {"train": train, "eval": eval, "test": test}


def test_events_are_summed() -> None:
    reasons = {"count": 3, "reasons": {"no text": 3}, "examples": {"no text": "f, line 2: no text"}}
    events: list[tuple[str, Any]] = [
        *[(accounting.READ, 7), (accounting.READ, 5), (accounting.QUARANTINED, reasons), (accounting.SPANNING, 2)],
        *[(accounting.WRITTEN, ("train", 6)), (accounting.WRITTEN, ("train", 2)), (accounting.WRITTEN, ("eval", 1))],
        *[(accounting.IDS, 5), (accounting.IDS, 4)],
        *[(accounting.DUPLICATES, ("train", 2)), (accounting.DUPLICATES, ("train", 1))],
        accounting.fault(JobError("broken", where="f", fix="repair")),
    ]
    counts = accounting.from_events(json.loads(json.dumps(events)), WEIGHTS)
    assert [str(fault) for fault in counts.faults] == [str(JobError("broken", where="f", fix="repair"))]
    counts.faults.clear()
    assert counts == Summary(12, written(8, 1), 3, written(3), {"no text": 3}, {"no text": "f, line 2: no text"}, 2, 9)
    assert (counts.documents, counts.removed) == (9, 3)


def test_a_good_run_passes() -> None:
    check(Summary(read=100, written=written(80, 10, 9), quarantined=1))
    check(Summary(read=100, written=written(80, 10, 5), quarantined=1, duplicates={"train": 4}))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (Summary(written=written()), "has no records.*/data/.*csv"),
        (Summary(read=10, written=written(5, 2, 2)), "lost or dup.*10 read, 9 written, 0 quarantined, 0 duplicates"),
        (Summary(read=4, written=written(3)), "lost or duplicated records"),
        (
            Summary(read=4, written=written(4)),
            "no documents for split eval or test.*documents in all: 4.*train: 8, eval",
        ),
        (Summary(faults=[JobError("second", where="b"), JobError("first", where="a")]), "first"),
    ],
)
def test_a_run_with_wrong_counts_fails(counts: Summary, message: str) -> None:
    with pytest.raises(JobError, match=f"(?s){message}"):
        check(counts)


def test_too_many_bad_records_fail_the_run() -> None:
    reasons = {"no text": 5, "unknown label": 9, "broken JSON": 1, "no label": 2}
    examples = {reason: f"f.csv, line 3: {reason}: details" for reason in reasons}
    counts = Summary(read=200, written=written(150, 17, 16), quarantined=17, reasons=reasons, examples=examples)
    with pytest.raises(JobError) as error:
        check(counts)
    common = ((9, "unknown label"), (5, "no text"), (2, "no label"))
    lines = [f"{number} x {reason} (f.csv, line 3: {reason}: details)" for number, reason in common]
    parts = ["17 of 200 records quarantined (8.50%)", "at most 1.00% (corpus.max_bad_fraction: 0.01)"]
    parts += ["\n    ".join(lines) + "\n  expected", "/q/records.jsonl", "--set corpus.max_bad_fraction=0.086"]
    assert [part for part in parts if part not in str(error.value)] == []
    check(counts, 0.086)


@pytest.mark.parametrize("limit", [0.01, 1.0])
def test_a_corpus_of_bad_records_alone_fails_whatever_its_limit(limit: float) -> None:
    reasons = {"no text": 3, "no label": 2}
    counts = Summary(5, written(), 5, reasons=reasons, examples=dict.fromkeys(reasons, "f.csv, line 2: why"))
    with pytest.raises(JobError) as error:
        check(counts, limit)
    parts = [
        "only bad records",
        "quarantined records: all 5",
        "3 x no text (f.csv, line 2: why)",
        "Check corpus.format",
        "/q/records",
    ]
    assert [part for part in parts if part not in str(error.value)] == []
    assert "max_bad_fraction" not in str(error.value)


@pytest.mark.parametrize(
    ("by", "origin", "fix"),
    [
        ("hash", "weights train: 8, eval: 1, test: 1", "Increase the weight"),
        ("file", "splits by file", "Add documents to the files"),
        ("column", "splits by column, expected train, eval, test", "Check corpus.split"),
    ],
)
def test_an_empty_split_is_an_error(by: Literal["hash", "file", "column"], origin: str, fix: str) -> None:
    counts = Summary(read=6, written=written(4, 0, 1), duplicates={"eval": 1})
    message = f"(?s)no documents for split eval.*documents in all: 5.*dropped duplicates: 1.*{origin}.*{fix}"
    with pytest.raises(JobError, match=message):
        check(counts, by=by)


@pytest.mark.parametrize(
    ("documents", "ids", "found"),
    [(200, 1, "1 distinct id, and"), (200, 3, "3 distinct ids"), (200, 101, None), (2, 2, None)],
)
def test_an_empty_split_of_equal_texts_needs_ids(documents: int, ids: int, found: str | None) -> None:
    counts = Summary(read=documents, written=written(documents), ids=ids)
    message = f"{found}.*equal ids share a split; splits by hash.*Set corpus.id" if found else "Increase the weight"
    message = f"(?s)no documents for split eval or test.*documents in all: {documents},.*{message}"
    with pytest.raises(JobError, match=message):
        check(counts)
