"""The state of schedules and backfills of a root: one file, written by rename, and its transitions."""

from __future__ import annotations

import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.runs import disk
from pipeline.runs.state import RunState, StyledState
from trainer.errors import JobError

FOLDER = "operate"
_FILE = "state.json"


class SpanState(StyledState):
    """The state of a span."""

    NO_FILES = "no files", "dim"
    WAITING = "waiting", ""
    RUNNING = "running", "cyan"
    DONE = "done", "green"
    REFUSED = "refused", "bold yellow"
    FAILED = "failed", "bold red"
    STALE = "stale", "yellow"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class SpanRecord(_Part):
    """The last complete run of a span.

    Attributes:
        state: DONE, REFUSED or FAILED.
        code: The exit code of the run.
        stamp: Identifies the files that it read.
        finished: When it ended, in UTC.
    """

    state: SpanState
    code: int
    stamp: str
    finished: datetime.datetime


class Work(_Part):
    """A run in progress.

    Attributes:
        time: The scheduled time that this run completes, in UTC; None if it completes none.
        span: Its span; None for a corpus without spans.
        stamp: Identifies the files of the span at the start.
        begun: When it was started, in UTC.
        pid: Its process; None between two attempts.
        attempt: Its number, from 1.
    """

    time: datetime.datetime | None = None
    span: int | None = None
    stamp: str = ""
    begun: datetime.datetime
    pid: int | None = None
    attempt: int = 1


class Ledger(_Part):
    """What has been run at a root.

    Attributes:
        schedule: The cron expression and time zone of the last scheduler.
        handled: The last scheduled time that was run or missed, in UTC.
        first_span: The first span that `--on new-span` runs; older ones are for backfills.
        work: The run in progress, or one whose outcome nothing has seen.
        spans: The last complete run of each span.
    """

    schedule: str | None = None
    handled: datetime.datetime | None = None
    first_span: int | None = None
    work: Work | None = None
    spans: dict[int, SpanRecord] = Field(default_factory=dict)

    def scheduled(self, schedule: str, handled: datetime.datetime, first_span: int | None) -> Ledger:
        """Begins a schedule: times up to `handled` are not run. An unchanged schedule continues where it was."""
        if self.schedule == schedule and self.handled is not None:
            return self
        return self.model_copy(update={"schedule": schedule, "handled": handled, "first_span": first_span})

    def passed(self, time: datetime.datetime) -> Ledger:
        """A scheduled time has been run or missed; the times before it are not run any more either."""
        return self.model_copy(update={"handled": time if self.handled is None else max(self.handled, time)})

    def begun(self, work: Work) -> Ledger:
        """A run is about to start, or has a process now."""
        return self.model_copy(update={"work": work})

    def ended(self, code: int | None, now: datetime.datetime) -> Ledger:
        """The run in progress has ended.

        Args:
            code: Its exit code; None if it was stopped and is due again.
            now: The time now, in UTC.
        """
        work, ledger = self.work, self.model_copy(update={"work": None})
        if work is None or code is None:
            return ledger
        if work.span is not None:
            record = SpanRecord(state=outcome(code), code=code, stamp=work.stamp, finished=now)
            ledger = ledger.model_copy(update={"spans": {**self.spans, work.span: record}})
        return ledger if work.time is None else ledger.passed(work.time)

    def state_of(self, span: int, stamp: str | None) -> SpanState:
        """Returns the state of a span.

        Args:
            span: Its number.
            stamp: Identifies its files now; None if it has none.
        """
        if self.work is not None and self.work.span == span:
            return SpanState.RUNNING
        if stamp is None:
            return SpanState.NO_FILES
        record = self.spans.get(span)
        if record is None:
            return SpanState.WAITING
        return SpanState.STALE if record.stamp != stamp and record.state is not SpanState.FAILED else record.state


def outcome(code: int) -> SpanState:
    """Returns the state of a span after a run with an exit code."""
    return {0: SpanState.DONE, RunState.NOT_BLESSED.exit_code: SpanState.REFUSED}.get(code, SpanState.FAILED)


def read(root: Path) -> Ledger:
    """Reads the ledger of a root; it is empty if there is no file.

    Raises:
        JobError: If the file is invalid.
    """
    path = root / FOLDER / _FILE
    try:
        return Ledger.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Ledger()
    except ValidationError as error:
        keys = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        found = f"unexpected values of {keys}" if keys else "no JSON object"
        fix = "delete it; then all spans count as waiting"
        raise JobError(
            "The state of schedules and backfills is invalid.", where=str(path), found=found, fix=fix
        ) from error


def write(root: Path, ledger: Ledger) -> None:
    """Saves the ledger of a root atomically."""
    disk.write(root / FOLDER / _FILE, (ledger.model_dump_json(indent=1) + "\n").encode())
