"""One event of a run, and the events that lie between two states of its record."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from pipeline.runs.record import ComponentRecord, RunRecord
from pipeline.runs.state import ComponentState, RunState


class EventType(str, enum.Enum):
    """What has happened."""

    RUN_STARTED = "run_started"
    RUN_RESUMED = "run_resumed"
    COMPONENT_STARTED = "component_started"
    COMPONENT_CACHED = "component_cached"
    COMPONENT_DONE = "component_done"
    COMPONENT_FAILED = "component_failed"
    COMPONENT_INTERRUPTED = "component_interrupted"
    COMPONENT_SKIPPED = "component_skipped"
    RECORDS_QUARANTINED = "records_quarantined"
    GATE_DECIDED = "gate_decided"
    MODEL_PUBLISHED = "model_published"
    RUN_ENDED = "run_ended"


_OF_COMPONENTS = {
    ComponentState.RUNNING: EventType.COMPONENT_STARTED,
    ComponentState.CACHED: EventType.COMPONENT_CACHED,
    ComponentState.DONE: EventType.COMPONENT_DONE,
    ComponentState.FAILED: EventType.COMPONENT_FAILED,
    ComponentState.INTERRUPTED: EventType.COMPONENT_INTERRUPTED,
    ComponentState.SKIPPED: EventType.COMPONENT_SKIPPED,
}
_OPEN = (RunState.RUNNING, RunState.WAITING)
"""The states of runs that have not ended."""


class RunEvent(BaseModel):
    """One line of `events.jsonl`; what does not apply to an event is left out.

    Attributes:
        time: When it was recorded, in UTC.
        run: The run's id.
        job: The job's name.
        task: The job's task.
        event: What has happened.
        component: The component.
        seconds: The duration of the component or the run.
        records: The number of records of the component, or of all that were read.
        quarantined: The number of bad records.
        reasons: Bad records by reason.
        metric: The metric of a gate.
        slice: "overall", or "source=imdb".
        bound: The key of the gate's bound, such as `max_drop`.
        limit: The value of that key.
        value: The metric of the model.
        met: Whether the model meets the bound.
        version: The published version.
        path: Its folder.
        state: The state of the run.
        exit_code: The exit code of the run.
        error: The title of the error that has ended the run.
    """

    model_config = ConfigDict(frozen=True)

    time: datetime.datetime
    run: str
    job: str
    task: str | None = None
    event: EventType
    component: str | None = None
    seconds: float | None = None
    records: int | None = None
    quarantined: int | None = None
    reasons: dict[str, int] | None = None
    metric: str | None = None
    slice: str | None = None
    bound: str | None = None
    limit: float | None = None
    value: float | None = None
    met: bool | None = None
    version: str | None = None
    path: str | None = None
    state: RunState | None = None
    exit_code: int | None = None
    error: str | None = None

    @property
    def line(self) -> str:
        """The event as a line of JSON."""
        return self.model_dump_json(exclude_none=True) + "\n"

    @property
    def sentence(self) -> str:
        """The event for people."""
        if self.event is EventType.RUN_ENDED and self.state is not None:
            text = self.state.sentence.format(version=self.version or "(unknown)")
            return f"{self.job}: {text}" + (f" {self.error}" if self.error else "")
        if self.event is EventType.MODEL_PUBLISHED:
            return f"{self.job}: version {self.version} is published."
        words = [self.component or self.metric or "", self.event.value.replace("_", " ")]
        return f"{self.job}: {' '.join(filter(None, words))}"


def changes(before: RunRecord | None, after: RunRecord, now: datetime.datetime) -> list[RunEvent]:
    """Returns what has happened between two states of a run's record; `before` is None if it is new.

    Args:
        before: The record as it was saved before.
        after: The record now.
        now: The time of the events.
    """
    common = {"time": now, "run": after.run_id, "job": after.name, "task": after.task}
    return [RunEvent.model_validate({**common, **found}) for found in _changes(before, after)]


def _changes(before: RunRecord | None, after: RunRecord) -> Iterator[dict[str, object]]:
    ended = before is not None and before.state not in _OPEN
    if before is None:
        yield {"event": EventType.RUN_STARTED, "time": after.started}
    elif ended and after.state in _OPEN:
        yield {"event": EventType.RUN_RESUMED}
    rows = {} if before is None else {row.name: row for row in before.components}
    for row in after.components:
        yield from _component(rows.get(row.name), row)
    corpus = after.details.corpus
    if corpus is not None and (before is None or before.details.corpus is None):
        counts = {"records": corpus.records, "quarantined": corpus.quarantined, "reasons": corpus.reasons}
        yield {"event": EventType.RECORDS_QUARANTINED, **counts}
    if before is None or not before.verdict.gates:
        for gate in after.verdict.gates:
            yield {"event": EventType.GATE_DECIDED, **gate.model_dump()}
    if after.state is RunState.PUSHED and after.pushed is not None and (before is None or before.pushed is None):
        yield {"event": EventType.MODEL_PUBLISHED, **after.pushed.model_dump()}
    if after.state not in _OPEN and not ended:
        yield _end(after)


def _component(before: ComponentRecord | None, row: ComponentRecord) -> Iterator[dict[str, object]]:
    state = ComponentState.WAITING if before is None else before.state
    if row.state is not state and row.state in _OF_COMPONENTS:
        found = {"event": _OF_COMPONENTS[row.state], "component": row.name}
        measured = {} if row.state is ComponentState.RUNNING else {"seconds": row.seconds, "records": row.records}
        yield {**found, **measured}


def _end(record: RunRecord) -> dict[str, object]:
    corpus = record.details.corpus
    seconds = None if record.finished is None else round((record.finished - record.started).total_seconds(), 3)
    return {
        "event": EventType.RUN_ENDED,
        "state": record.state,
        "exit_code": record.state.exit_code if record.exit_code is None else record.exit_code,
        "seconds": seconds,
        "records": None if corpus is None else corpus.records,
        "quarantined": None if corpus is None else corpus.quarantined,
        "version": None if record.pushed is None else record.pushed.version,
        "error": (record.error or "").partition("\n")[0] or None,
    }
