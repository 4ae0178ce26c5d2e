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


def test_events_are_summed_up() -> None:
    events: list[tuple[str, Any]] = [
        (accounting.READ, 7),
        (accounting.READ, 5),
        (accounting.WRITTEN, ("train", 6)),
        (accounting.WRITTEN, ("train", 2)),
        (accounting.WRITTEN, ("eval", 1)),
        (accounting.DUPLICATES, ("train", 2)),
        (accounting.DUPLICATES, ("train", 1)),
        (
            accounting.QUARANTINED,
            {"count": 3, "reasons": {"no text": 3}, "examples": {"no text": "f, line 2: no text"}},
        ),
        accounting.fault(JobError("broken", where="f", fix="mend")),
    ]
    counts = accounting.from_events(json.loads(json.dumps(events)), WEIGHTS)
    assert counts.read == 12
    assert counts.written == {"train": 8, "eval": 1, "test": 0}
    assert counts.duplicates == {"train": 3, "eval": 0, "test": 0}
    assert counts.removed == 3
    assert (counts.quarantined, counts.reasons) == (3, {"no text": 3})
    assert [str(error) for error in counts.faults] == ["broken\n  where: f\n  fix: mend"]


def test_a_good_run_passes() -> None:
    counts = Summary(read=100, written={"train": 80, "eval": 10, "test": 9}, quarantined=1)
    check(counts)
    assert counts.documents == 99
    check(Summary(read=100, written={"train": 80, "eval": 10, "test": 5}, quarantined=1, duplicates={"train": 4}))


@pytest.mark.parametrize(
    ("counts", "parts"),
    [
        (Summary(written=dict.fromkeys(WEIGHTS, 0)), ["has no records", "/data/*.csv"]),
        (
            Summary(read=10, written={"train": 5, "eval": 2, "test": 2}),
            ["lost or doubled", "10 read, 9 written, 0 quarantined, 0 duplicates"],
        ),
        (
            Summary(read=4, written={"train": 3, "eval": 0, "test": 0}, quarantined=0, reasons={}),
            ["lost or doubled"],
        ),
        (
            Summary(read=4, written={"train": 4, "eval": 0, "test": 0}),
            ["The split eval and test has no documents", "4 documents in all", "train: 8, eval: 1, test: 1"],
        ),
        (
            Summary(faults=[JobError("second", where="b"), JobError("first", where="a")], written={}),
            ["first"],
        ),
    ],
)
def test_a_run_that_must_not_go_on(counts: Summary, parts: list[str]) -> None:
    with pytest.raises(JobError) as error:
        check(counts)
    for part in parts:
        assert part in str(error.value)


def test_too_many_bad_records_are_told_in_full() -> None:
    reasons = {"no text": 5, "unknown label": 9, "broken JSON": 1, "no label": 2}
    examples = {reason: f"f.csv, line 3: {reason}: details" for reason in reasons}
    counts = Summary(
        read=200,
        written={"train": 150, "eval": 17, "test": 16},
        quarantined=17,
        reasons=reasons,
        examples=examples,
    )
    with pytest.raises(JobError) as error:
        check(counts)
    text = str(error.value)
    assert "17 of 200 records quarantined (8.50%)" in text
    assert "at most 1.00% (corpus.max_bad_fraction: 0.01)" in text
    told = [
        f"{number} x {reason} (f.csv, line 3: {reason}: details)"
        for number, reason in ((9, "unknown label"), (5, "no text"), (2, "no label"))
    ]
    assert "\n    ".join(told) in text
    assert "broken JSON" not in text
    assert "/q/records.jsonl" in text
    assert "--set corpus.max_bad_fraction=0.086" in text
    check(counts, 0.086)


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        ("hash", ["splits train: 8, eval: 1, test: 1", "greater weight"]),
        ("file", ["given by files", "Add documents to the files"]),
        ("column", ["given by a column, expected are train, eval, test", "Check corpus.split"]),
    ],
)
def test_an_empty_split_is_told_by_where_splits_come_from(
    by: Literal["hash", "file", "column"], parts: list[str]
) -> None:
    counts = Summary(read=6, written={"train": 4, "eval": 0, "test": 1}, duplicates={"eval": 1})
    with pytest.raises(JobError, match="The split eval has no documents") as error:
        check(counts, by=by)
    for part in [*parts, "5 documents in all", "1 duplicates left out"]:
        assert part in str(error.value)
