"""Counts of what a run read, wrote and quarantined, and the checks on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from components.corpus_example_gen.writing.split_assignment import SplitRule
from trainer.errors import JobError

READ, SPANNING, WRITTEN, QUARANTINED = "read", "spanning", "written", "quarantined"
DUPLICATES, IDS, FAULT = "duplicates", "ids", "fault"
EVENTS = "events"

Event = tuple[str, Any]
"""A kind with its payload, a JSON value."""


@dataclasses.dataclass
class Summary:
    """Counts of a run.

    Attributes:
        read: Records in the files.
        written: Documents written, by split.
        quarantined: Bad records written to the quarantine.
        duplicates: Documents dropped because their text is kept elsewhere, by the split they were assigned to.
        reasons: Bad records by category of the reason.
        examples: Location and full reason of the first record of each category.
        spanning: Documents whose records span several lines.
        ids: Distinct ids of documents in a split.
        faults: Errors of whole files.
    """

    read: int = 0
    written: dict[str, int] = dataclasses.field(default_factory=dict)
    quarantined: int = 0
    duplicates: dict[str, int] = dataclasses.field(default_factory=dict)
    reasons: dict[str, int] = dataclasses.field(default_factory=dict)
    examples: dict[str, str] = dataclasses.field(default_factory=dict)
    spanning: int = 0
    ids: int = 0
    faults: list[JobError] = dataclasses.field(default_factory=list)

    @property
    def documents(self) -> int:
        """Documents in all splits."""
        return sum(self.written.values())

    @property
    def removed(self) -> int:
        """Duplicates in all splits."""
        return sum(self.duplicates.values())


def from_events(events: Iterable[Event], splits: Iterable[str]) -> Summary:
    """Sums up the events of a pipeline, read back from JSON; `splits` names all splits."""
    names = list(splits)
    summary = Summary(written=dict.fromkeys(names, 0), duplicates=dict.fromkeys(names, 0))
    for kind, payload in events:
        if kind == READ:
            summary.read += payload
        elif kind == SPANNING:
            summary.spanning += payload
        elif kind == IDS:
            summary.ids += payload
        elif kind in (WRITTEN, DUPLICATES):
            split, count = payload
            counts = summary.written if kind == WRITTEN else summary.duplicates
            counts[split] += count
        elif kind == QUARANTINED:
            summary.quarantined += payload["count"]
            summary.reasons.update(payload["reasons"])
            summary.examples.update(payload["examples"])
        else:
            summary.faults.append(JobError(**payload))
    return summary


def fault(error: JobError) -> tuple[str, dict[str, str | None]]:
    """Returns the event of a file that cannot be read."""
    return FAULT, {key: getattr(error, key) for key in ("what", "where", "found", "expected", "fix")}


def check(summary: Summary, *, pattern: str, rule: SplitRule, max_bad_fraction: float, quarantine: str) -> None:
    """Checks the counts; `pattern` (of the files) and `quarantine` (the path of its file) are for messages.

    Raises:
        JobError: If a file failed, records were lost, too many are bad, or the corpus or a split is empty.
    """
    if summary.faults:
        raise min(summary.faults, key=lambda error: error.where or "")
    if summary.read == 0:
        raise JobError(
            "The corpus has no records.",
            where=pattern,
            found="only empty files or header rows",
            expected="at least one document for each split",
            fix="Set corpus.path to the files with the documents.",
        )
    if summary.read != summary.documents + summary.quarantined + summary.removed:
        raise JobError(
            "CorpusExampleGen has lost or duplicated records.",
            where=pattern,
            found=f"{summary.read} read, {summary.documents} written, {summary.quarantined} quarantined,"
            f" {summary.removed} duplicates",
            expected="each record to be written, quarantined or dropped as a duplicate",
            fix="Run again with beam.engine: local, whose runner keeps every record.",
        )
    if summary.quarantined == summary.read:
        raise _all_bad(summary, pattern, quarantine)
    if summary.quarantined > max_bad_fraction * summary.read:
        raise _too_many_bad(summary, pattern, max_bad_fraction, quarantine)
    empty = [split for split in rule.names if summary.written[split] == 0]
    if empty:
        raise _empty(empty, summary, pattern, rule)


def _empty(empty: list[str], summary: Summary, pattern: str, rule: SplitRule) -> JobError:
    shares = ", ".join(f"{split}: {weight}" for split, weight in rule.weights.items())
    origin, fix = {
        "hash": (
            f"splits by hash with the weights {shares}",
            "Increase the weight of the split in splits, remove it (train and eval are required), or add data.",
        ),
        "file": ("splits by file", "Add documents to the files of the split in corpus.path."),
        "column": (
            f"splits by column, expected {', '.join(rule.names)}",
            "Check corpus.split and corpus.split_values, or remove the split from splits.",
        ),
    }[rule.by]
    if rule.by == "hash" and 0 < 2 * summary.ids <= summary.documents:
        origin = f"{summary.ids} distinct id{'s' * (summary.ids > 1)}, and equal ids share a split; {origin}"
        fix = "Set corpus.id to a column or key with an id of each document; without it, the id is a hash of the text."
    removed = f", dropped duplicates: {summary.removed}" if summary.removed else ""
    return JobError(
        f"The corpus has no documents for split {' or '.join(empty)}.",
        where=pattern,
        found=f"documents in all: {summary.documents}, quarantined records: {summary.quarantined}{removed}; {origin}",
        expected="at least one document in each split",
        fix=fix,
    )


def _all_bad(summary: Summary, pattern: str, quarantine: str) -> JobError:
    return JobError(
        "The corpus has only bad records.",
        where=pattern,
        found=f"quarantined records: all {summary.quarantined}, mostly:{_reasons(summary)}",
        expected="records that corpus.format and the columns under corpus describe",
        fix=f"Check corpus.format, and the names and values that the reasons mention; the records are in {quarantine}",
    )


def _too_many_bad(summary: Summary, pattern: str, limit: float, quarantine: str) -> JobError:
    fraction = summary.quarantined / summary.read
    # Rounded up to three decimals, so that the run passes with the value in the message.
    enough = min(1.0, (int(fraction * 1000) + 1) / 1000)
    return JobError(
        "The corpus has too many bad records.",
        where=pattern,
        found=f"{summary.quarantined} of {summary.read} records quarantined ({fraction:.2%}),"
        f" mostly:{_reasons(summary)}",
        expected=f"at most {limit:.2%} (corpus.max_bad_fraction: {limit:g})",
        fix=f"Inspect the records in {quarantine} and repair the corpus or its settings,"
        f" or accept the loss: --set corpus.max_bad_fraction={enough:g}",
    )


def _reasons(summary: Summary) -> str:
    common = sorted(summary.reasons.items(), key=lambda item: (-item[1], item[0]))[:3]
    return "".join(f"\n    {count} x {reason} ({summary.examples[reason]})" for reason, count in common)
