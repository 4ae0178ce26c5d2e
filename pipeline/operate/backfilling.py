"""Runs the spans of a period that are due."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Collection, Sequence

from pipeline.operate import ledger as ledgers
from pipeline.operate import operator_locks
from pipeline.operate.corpus_spans import CorpusSpans
from pipeline.operate.ledger import Ledger, SpanRecord, SpanState, Work
from pipeline.operate.span_run import SpanRunner, settled
from pipeline.runs.state import RunState
from trainer.errors import JobError


class OnlyState(str, enum.Enum):
    """Which of the spans that are due to run."""

    FAILED = "failed"
    MISSING = "missing"
    STALE = "stale"


_DUE = {OnlyState.FAILED: SpanState.FAILED, OnlyState.MISSING: SpanState.WAITING, OnlyState.STALE: SpanState.STALE}


@dataclasses.dataclass(frozen=True)
class SpanRow:
    """A span of a period: its number, state, and last complete run."""

    span: int
    state: SpanState
    record: SpanRecord | None = None


class Backfill:
    """The spans of a corpus in a period.

    Args:
        spans: The spans of the corpus.
        runner: Runs the job.
        first: The first span.
        last: The last span.
    """

    def __init__(self, spans: CorpusSpans, runner: SpanRunner, first: int, last: int) -> None:
        self._spans, self._runner = spans, runner
        self._first, self._last = first, last

    def rows(self) -> list[SpanRow]:
        """Returns the state of each span: of every date, or of every number that exists.

        Raises:
            JobError: If none has files.
        """
        stamps = self._stamps()
        root = self._runner.root
        ledger = ledgers.read(root)
        if ledger.work is not None and not operator_locks.is_operating(root):
            ledger = settled(ledger, root, self._runner.clock.now())
        numbers = range(self._first, self._last + 1) if self._spans.dated else [*stamps]
        return [SpanRow(span, ledger.state_of(span, stamps.get(span)), ledger.spans.get(span)) for span in numbers]

    def run(self, rows: Sequence[SpanRow], only: OnlyState | None) -> None:
        """Runs the spans that are due, oldest first, until the user asks to stop."""
        selected = due_spans(rows, only)
        for position, span in enumerate(selected, start=1):
            if self._runner.clock.stops:
                return
            done = self._runner.run(lambda ledger, span=span: self._choose(ledger, span))  # type: ignore[misc]
            name = self._spans.name(span)
            if done is not None and done[1] is not None:
                state = ledgers.outcome(done[1])
                self._runner.say(f"{position} of {len(selected)}: span {name} is {state}.")

    def _choose(self, ledger: Ledger, span: int) -> Work | None:
        """Returns the run of a span, unless it was run while this one waited."""
        stamp = self._stamps().get(span)
        if stamp is None or ledger.state_of(span, stamp) not in _DUE.values():
            return None
        return Work(span=span, stamp=stamp, begun=self._runner.clock.now())

    def _stamps(self) -> dict[int, str]:
        existing = self._spans.stamps()
        stamps = {span: stamp for span, stamp in existing.items() if self._first <= span <= self._last}
        if not stamps:
            names = [self._spans.name(span) for span in existing]
            raise JobError(
                "The period has no spans.",
                where="--from, --to",
                found=f"spans from {names[0]} to {names[-1]}" if names else "no spans",
                expected="at least one span between --from and --to",
            )
        return stamps


def due_spans(rows: Sequence[SpanRow], only: OnlyState | None) -> list[int]:
    """Returns the spans to run: those that were not run, have failed or are stale, or only one of these."""
    states = _DUE.values() if only is None else (_DUE[only],)
    return [row.span for row in rows if row.state in states]


def exit_code(states: Collection[SpanState]) -> int:
    """Returns the exit code of runs: 1 if one has failed, else 3 if one was refused, else 0."""
    if SpanState.FAILED in states:
        return RunState.FAILED.exit_code
    return RunState.NOT_BLESSED.exit_code if SpanState.REFUSED in states else 0
