"""The record of a run: one JSON file per run, below its root."""

from __future__ import annotations

import datetime
import os
import secrets
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.runs.details import Details
from pipeline.runs.state import ComponentState, RunState
from trainer.errors import JobError

_RECORD = "run.json"
_CLOCK_DRIFT = 2.0
"""Seconds by which readings of one process's start time may differ: psutil derives it from the system's clock."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")


class ComponentRecord(_Record):
    """The state of one component of a run.

    Attributes:
        name: The component.
        state: Its state.
        seconds: How long it ran, None if it has not ended.
        records: How many records it reported, None if it reports none.
    """

    name: str
    state: ComponentState = ComponentState.WAITING
    seconds: float | None = None
    records: int | None = None


class Verdict(_Record):
    """The Evaluator's verdict.

    Attributes:
        blessed: Whether the model may be published; None if it was not evaluated.
        reasons: One sentence per gate.
    """

    blessed: bool | None = None
    reasons: tuple[str, ...] = ()


class Pushed(_Record):
    """The published version."""

    version: str
    path: str


class RunRecord(_Record):
    """One run. Fields that this version does not know are ignored when a record is read.

    Attributes:
        run_id: Sorts by time; the name of the run's folder in `logs/`.
        name: The job's name.
        task: The job's task; None in records of earlier versions.
        config: Path of the job's YAML, or None for a job built in code.
        root: The root as given.
        started: When it started, in UTC.
        finished: When it ended, or None.
        pid: The process that runs it.
        process: When that process started, in seconds since the epoch; tells it from a later process with the same pid.
        state: The run's state.
        components: The components in order.
        metrics: Metrics by slice: "overall", "source=imdb".
        verdict: The Evaluator's verdict.
        pushed: The published version, if this run published one.
        error: Why it failed.
        details: What its components reported.
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
    details: Details = Details()

    def updated(self, **changes: Any) -> RunRecord:
        """Returns a copy with other values, validated like new ones."""
        return RunRecord.model_validate({**dict(self), **changes})

    @property
    def log(self) -> Path:
        """The run's log."""
        return run_dir(Path(self.root), self.run_id) / "run.log"

    @property
    def sentence(self) -> str:
        """How the run ended."""
        return self.state.sentence.format(version=self.pushed.version if self.pushed else "(unknown)")


def new_run(root: Path, name: str, task: str | None = None, config: Path | None = None) -> RunRecord:
    """Makes the record of a run that this process starts now; `write` saves it.

    Args:
        root: The root of the run.
        name: The job's name.
        task: The job's task.
        config: The job's YAML.

    Returns:
        A record in the state "running" with a new id.
    """
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
        process=f"{psutil.Process(pid).create_time():.2f}",
    )


def run_dir(root: Path, run_id: str) -> Path:
    """Returns the folder of a run's log and record."""
    return root / "logs" / run_id


def write(root: Path, record: RunRecord) -> Path:
    """Saves a record atomically: a reader sees the old one or the new one.

    Args:
        root: The root of the run.
        record: The record.

    Returns:
        The file.
    """
    path = run_dir(root, record.run_id) / _RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{_RECORD}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(record.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return path


def read_all(root: Path) -> list[RunRecord]:
    """Reads the records of a root, those of earlier versions too.

    Args:
        root: The root of some runs.

    Returns:
        Its runs, oldest first. A run whose record says "running", but whose process is gone, is "interrupted".

    Raises:
        JobError: If the root does not exist, or a record is invalid.
    """
    if not root.is_dir():
        fix = "pass the folder that `seqloom run` wrote to"
        raise JobError("The root does not exist.", where=str(root), fix=fix)
    return [_read(path, root) for path in sorted(root.glob(f"logs/*/{_RECORD}"))]


def _read(path: Path, root: Path) -> RunRecord:
    try:
        record = RunRecord.model_validate_json(path.read_bytes()).updated(root=str(root))
    except (OSError, ValidationError) as error:
        fix = f"delete {path.parent} if you do not need the run"
        raise JobError("The run record is invalid.", where=str(path), found=str(error), fix=fix) from error
    if record.state is not RunState.RUNNING or _is_alive(record):
        return record
    components = [
        component.model_copy(update={"state": ComponentState.INTERRUPTED})
        if component.state is ComponentState.RUNNING
        else component
        for component in record.components
    ]
    return record.updated(state=RunState.INTERRUPTED, components=components)


def _is_alive(record: RunRecord) -> bool:
    try:
        started = float(record.process or "")
        process = psutil.Process(record.pid)
        running = process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return running and abs(process.create_time() - started) < _CLOCK_DRIFT
    except (ValueError, psutil.NoSuchProcess):  # ValueError: earlier versions noted the process differently.
        return False
