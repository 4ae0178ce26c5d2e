"""What a run read, wrote and quarantined, and the rules that it has to meet."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from components.corpus_example_gen.writing.split_assignment import SplitRule
from trainer.errors import JobError

READ, WRITTEN, QUARANTINED, DUPLICATES, FAULT = "read", "written", "quarantined", "duplicates", "fault"
EVENTS = "events"

Event = tuple[str, Any]
"""A kind with its payload, a JSON value."""


@dataclasses.dataclass
class Summary:
    """Counts of a run.

    Attributes:
        read: Records found in the files.
        written: Documents written, by split.
        quarantined: Bad records written to the quarantine.
        duplicates: Documents left out because their text is kept elsewhere, by the split they would be in.
        reasons: Bad records by category of the reason.
        examples: Where the first record of each category is, with its whole reason.
        faults: Failures of whole files.
    """

    read: int = 0
    written: dict[str, int] = dataclasses.field(default_factory=dict)
    quarantined: int = 0
    duplicates: dict[str, int] = dataclasses.field(default_factory=dict)
    reasons: dict[str, int] = dataclasses.field(default_factory=dict)
    examples: dict[str, str] = dataclasses.field(default_factory=dict)
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
    """Sums the events of a pipeline up.

    Args:
        events: Kinds with their payloads, as they come back from JSON.
        splits: Names of all splits.
    """
    names = list(splits)
    summary = Summary(written=dict.fromkeys(names, 0), duplicates=dict.fromkeys(names, 0))
    for kind, payload in events:
        if kind == READ:
            summary.read += payload
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
    fields = {"what": error.what, "where": error.where, "found": error.found}
    return FAULT, {**fields, "expected": error.expected, "fix": error.fix}


def check(summary: Summary, *, pattern: str, rule: SplitRule, max_bad_fraction: float, quarantine: str) -> None:
    """Raises JobError if the run must not go on.

    Args:
        summary: The counts.
        pattern: The pattern of the files, for messages.
        rule: How documents get their splits.
        max_bad_fraction: Part of the records that may be quarantined.
        quarantine: Path of the quarantine's file, for messages.
    """
    if summary.faults:
        raise min(summary.faults, key=lambda error: error.where or "")
    if summary.read == 0:
        raise JobError(
            "The corpus has no records.",
            where=pattern,
            found="only empty files, or a header row and nothing below it",
            expected="at least one document for each split",
            fix="Set corpus.path to the files that hold the documents.",
        )
    if summary.read != summary.documents + summary.quarantined + summary.removed:
        raise JobError(
            "Records were lost or doubled between reading and writing.",
            where=f"CorpusExampleGen, {pattern}",
            found=f"{summary.read} read, {summary.documents} written, {summary.quarantined} quarantined,"
            f" {summary.removed} duplicates",
            expected="as many written, quarantined and left out as duplicates as read",
            fix="Run again with beam.engine: local, whose runner is known to keep every record.",
        )
    if summary.quarantined > max_bad_fraction * summary.read:
        raise _too_many_bad(summary, pattern, max_bad_fraction, quarantine)
    empty = [split for split in rule.names if summary.written[split] == 0]
    if empty:
        raise _empty(empty, summary, pattern, rule)


def _empty(empty: list[str], summary: Summary, pattern: str, rule: SplitRule) -> JobError:
    shares = ", ".join(f"{split}: {weight}" for split, weight in rule.weights.items())
    told = {
        "hash": f"splits {shares}",
        "file": "the splits are given by files",
        "column": f"the splits are given by a column, expected are {', '.join(rule.names)}",
    }
    fixes = {
        "hash": "Give the split a greater weight in splits, leave it out (train and eval are needed), or add data.",
        "file": "Add documents to the files of the split in corpus.path.",
        "column": "Check corpus.split and corpus.split_values, or leave the split out of splits.",
    }
    removed = f", {summary.removed} duplicates left out" if summary.removed else ""
    return JobError(
        f"The split {' and '.join(empty)} has no documents.",
        where=pattern,
        found=f"{summary.documents} documents in all, {summary.quarantined} records quarantined{removed};"
        f" {told[rule.by]}",
        expected="at least one document in each split",
        fix=fixes[rule.by],
    )


def _too_many_bad(summary: Summary, pattern: str, limit: float, quarantine: str) -> JobError:
    fraction = summary.quarantined / summary.read
    common = sorted(summary.reasons.items(), key=lambda item: (-item[1], item[0]))[:3]
    reasons = "".join(f"\n    {count} x {reason} ({summary.examples[reason]})" for reason, count in common)
    # Rounded up to three decimals, so that the run passes with the value that the message names.
    enough = min(1.0, (int(fraction * 1000) + 1) / 1000)
    return JobError(
        "Too many records of the corpus are bad.",
        where=pattern,
        found=f"{summary.quarantined} of {summary.read} records quarantined ({fraction:.2%}), most of them:{reasons}",
        expected=f"at most {limit:.2%} (corpus.max_bad_fraction: {limit:g})",
        fix=f"Look at the records in {quarantine} and repair the corpus or its settings,"
        f" or let them go: --set corpus.max_bad_fraction={enough:g}",
    )
