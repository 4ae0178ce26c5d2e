"""The record of a run: one JSON file per run, below its root."""

from __future__ import annotations

import datetime
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import psutil  # type: ignore[import-untyped, unused-ignore]
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from pipeline.config.locations import exists
from pipeline.runs import disk
from pipeline.runs.details import Details
from pipeline.runs.state import ComponentState, RunState
from trainer.errors import JobError

RUN_ID = r"[A-Za-z0-9][A-Za-z0-9._:+~@=-]{0,127}"
"""The ids that a run may be given: names of a folder."""

_RECORD = "run.json"
_SUMMARY = "summary.json"
_CLOCK_DRIFT = 2.0
"""Seconds by which readings of a process's start time may differ, because psutil derives it from the system's clock."""


class _Record(BaseModel):
    """A part of a record.

    Attributes:
        omitted: Fields that are not written if they have no value.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")
    omitted: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_omitted(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values = handler(self)
        return {
            name: value for name, value in values.items() if name not in self.omitted or value not in (None, (), [])
        }


class ComponentRecord(_Record):
    """The state of one component of a run, its duration if it has ended, and its number of records if it has any.

    Attributes:
        worker: The machine, the pid and the start time of the process that runs it as a single step.
    """

    name: str
    state: ComponentState = ComponentState.WAITING
    seconds: float | None = None
    records: int | None = None
    worker: str | None = None
    omitted = frozenset({"worker"})


class GateRecord(_Record):
    """How one bound of a gate was decided.

    Attributes:
        metric: The metric.
        slice: "overall", or "source=imdb".
        bound: The key of the bound, such as `max_drop`; None if the metric has no value to compare.
        limit: The value of that key.
        value: The metric of the model.
        met: Whether the model meets the bound.
    """

    metric: str
    slice: str
    bound: str | None
    limit: float | None
    value: float | None
    met: bool


class Verdict(_Record):
    """The Evaluator's verdict, None if the model was not evaluated; one sentence per gate, and their numbers."""

    blessed: bool | None = None
    reasons: tuple[str, ...] = ()
    gates: tuple[GateRecord, ...] = ()
    omitted = frozenset({"gates"})


class Pushed(_Record):
    """The published version."""

    version: str
    path: str


class RunRecord(_Record):
    """One run. Unknown fields are ignored when a record is read.

    Attributes:
        run_id: The name of the run's folder in `logs/`.
        name: The job's name.
        task: The job's task; None in records of earlier versions.
        config: The path of the job's YAML; None for a job built in code.
        started: The time of its start, in UTC.
        process: The start time of process `pid` in seconds since the epoch, because pids are reused.
        metrics: Metrics by slice: "overall", "source=imdb".
        pushed: The published version, if this run published one.
        error: Why it failed.
        exit_code: The exit code of its command, if it is not that of its state.
        details: Reports of its components.
    """

    run_id: str
    name: str
    task: str | None = None
    config: str | None = None
    root: str
    started: datetime.datetime
    finished: datetime.datetime | None = None
    pid: int
    process: str | None = None
    state: RunState = RunState.RUNNING
    components: tuple[ComponentRecord, ...] = ()
    metrics: dict[str, dict[str, float]] = Field(default_factory=dict)
    verdict: Verdict = Verdict()
    pushed: Pushed | None = None
    error: str | None = None
    exit_code: int | None = None
    details: Details = Details()
    omitted = frozenset({"exit_code"})

    def updated(self, **changes: Any) -> RunRecord:
        """Returns a copy with changed values, which are validated."""
        return RunRecord.model_validate({**dict(self), **changes})

    @property
    def log(self) -> Path:
        """The run's log."""
        return run_dir(Path(self.root), self.run_id) / "run.log"

    @property
    def text(self) -> str:
        """The record as JSON."""
        return self.model_dump_json(indent=2) + "\n"

    @property
    def sentence(self) -> str:
        """The outcome of the run."""
        return self.state.sentence.format(version=self.pushed.version if self.pushed else "(unknown)")


def new_run(root: Path, name: str, task: str | None = None, config: Path | None = None) -> RunRecord:
    """Returns the record of a run of this process, in state "running" and with a new id; `write` saves it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    pid = os.getpid()
    return RunRecord(
        run_id=f"{now:%Y%m%dT%H%M%S.%f}"[:-3] + f"Z-{secrets.token_hex(2)}",
        name=name,
        task=task,
        config=None if config is None else str(config),
        root=str(root),
        started=now,
        pid=pid,
        process=_start_time(pid),
    )


def this_worker() -> str:
    """Returns the `worker` of a component that this process runs."""
    return f"{socket.gethostname()} {os.getpid()} {_start_time(os.getpid())}"


def unfinished_state(components: Sequence[ComponentRecord]) -> RunState:
    """Returns the state of a run by steps, some of whose components are not complete."""
    states = {component.state for component in components}
    for state in (RunState.RUNNING, RunState.FAILED, RunState.INTERRUPTED):
        if ComponentState[state.name] in states:
            return state
    return RunState.WAITING


def run_dir(root: Path, run_id: str) -> Path:
    """Returns the folder of a run's log and record."""
    return root / "logs" / run_id


def write(root: Path, record: RunRecord) -> Path:
    """Saves a record atomically, so that a reader sees either the old or the new one, and returns its path."""
    path = run_dir(root, record.run_id) / _RECORD
    disk.write(path, record.text.encode())
    return path


def write_summary(root: Path, record: RunRecord) -> None:
    """Saves the record of the last finished run of a root."""
    disk.write(root / _SUMMARY, record.text.encode())


def read_all(root: Path) -> list[RunRecord]:
    """Reads the records of a root, oldest first; runs in state "running" whose process is gone become "interrupted".

    Raises:
        JobError: If the root does not exist, or a record is invalid.
    """
    if not exists(root, "The root", where=str(root)) or not root.is_dir():
        fix = "pass the folder that `seqloom run` wrote to"
        raise JobError("The root does not exist.", where=str(root), fix=fix)
    found = [_read(path, root) for path in root.glob(f"logs/*/{_RECORD}")]
    return sorted(found, key=lambda record: (record.started.isoformat(timespec="milliseconds"), record.run_id))


def read(root: Path, run_id: str) -> RunRecord | None:
    """Reads the record of a run like `read_all`; returns None if there is none."""
    path = run_dir(root, run_id) / _RECORD
    return _read(path, root) if path.exists() else None


def stored(root: Path, run_id: str) -> RunRecord | None:
    """Returns the record of a run exactly as it was saved; None if there is none that can be read."""
    try:
        return RunRecord.model_validate_json((run_dir(root, run_id) / _RECORD).read_bytes())
    except (OSError, ValidationError):
        return None


def _read(path: Path, root: Path) -> RunRecord:
    try:
        record = RunRecord.model_validate_json(path.read_bytes()).updated(root=str(root))
    except OSError as error:
        raise JobError("The run record cannot be read.", where=str(path), found=error.strerror) from error
    except ValidationError as error:
        keys = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        found = f"unexpected values of {keys}" if keys else "no JSON object"
        fix = f"delete {path.parent} if you do not need the run"
        raise JobError("The run record is invalid.", where=str(path), found=found, fix=fix) from error
    if record.state is not RunState.RUNNING:
        return record
    own_process = None if any(component.worker for component in record.components) else _is_alive(record)
    components = [
        component.model_copy(update={"state": ComponentState.INTERRUPTED, "worker": None})
        if component.state is ComponentState.RUNNING and not (own_process or _works(component.worker))
        else component
        for component in record.components
    ]
    if own_process is None:
        return record.updated(state=unfinished_state(components), components=components)
    return record if own_process else record.updated(state=RunState.INTERRUPTED, components=components)


def _is_alive(record: RunRecord) -> bool:
    return _runs(record.pid, record.process or "")


def _works(worker: str | None) -> bool:
    """Returns whether the process of a step still runs; that of another machine does, as far as one can know."""
    if worker is None:
        return False
    host, pid, started = worker.split(" ")
    return host != socket.gethostname() or _runs(int(pid), started)


def _start_time(pid: int) -> str:
    return f"{psutil.Process(pid).create_time():.2f}"


def _runs(pid: int, start_time: str) -> bool:
    try:
        started = float(start_time)
        process = psutil.Process(pid)
        running = process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return running and abs(process.create_time() - started) < _CLOCK_DRIFT
    except (ValueError, psutil.NoSuchProcess):  # ValueError: earlier versions recorded the process differently.
        return False
