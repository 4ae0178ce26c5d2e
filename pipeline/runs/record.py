"""What ran at a root: one JSON record a run, and the lock that keeps runs apart."""

from __future__ import annotations

import datetime
import fcntl
import os
import secrets
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trainer.errors import JobError

RunState = Literal["running", "pushed", "unchanged", "not_blessed", "failed", "interrupted", "done", "tuned", "checked"]
ComponentState = Literal["waiting", "running", "cached", "done", "failed", "interrupted", "skipped"]

_RECORD = "run.json"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")


class ComponentRecord(_Record):
    """How one component of a run ended."""

    name: str
    state: ComponentState = "waiting"
    seconds: float | None = None
    records: int | None = None


class Verdict(_Record):
    """Whether the model may be published, and why in words; `blessed` is None where nobody judged."""

    blessed: bool | None = None
    reasons: tuple[str, ...] = ()


class Pushed(_Record):
    """The published version."""

    version: str
    path: str


class RunRecord(_Record):
    """One run.

    Attributes:
        run_id: Sorts by time; the name of the run's folder in `logs/`.
        name: The job's name.
        config: Path of the job's YAML, or None where the job was made in code.
        root: The root as given.
        started: When it started, in UTC.
        finished: When it ended, or None.
        pid: The process that runs it.
        process: Tells that process from a later one of the same number.
        state: `done` is a run that ended early because `--until` asked for it, `tuned` one of `seqloom tune`, and
            `checked` one with `--dry-run`.
        components: The components in order.
        metrics: Metrics by slice: "overall", "source=imdb".
        verdict: The Evaluator's.
        pushed: The published version, if this run published one.
        error: Why it failed.
        details: More figures of the run.
    """

    run_id: str
    name: str
    config: str | None = None
    root: str
    started: datetime.datetime
    finished: datetime.datetime | None = None
    pid: int
    process: str | None = None
    state: RunState = "running"
    components: tuple[ComponentRecord, ...] = ()
    metrics: dict[str, dict[str, float]] = Field(default_factory=dict)
    verdict: Verdict = Verdict()
    pushed: Pushed | None = None
    error: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)

    def updated(self, **changes: Any) -> RunRecord:
        """A copy with other values, checked as new ones are."""
        return RunRecord.model_validate({**dict(self), **changes})

    @property
    def log(self) -> Path:
        """The run's log."""
        return run_dir(Path(self.root), self.run_id) / "run.log"


def new_run(root: Path, name: str, config: Path | None = None) -> RunRecord:
    """The record of a run that this process starts now; `write` saves it.

    Args:
        root: The root of the run.
        name: The job's name.
        config: The job's YAML.

    Returns:
        A record in the state "running" with a new id.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    pid = os.getpid()
    return RunRecord(
        run_id=f"{now:%Y%m%dT%H%M%S.%f}"[:-3] + f"Z-{secrets.token_hex(2)}",
        name=name,
        config=None if config is None else str(config),
        root=str(root),
        started=now,
        pid=pid,
        process=process_token(pid),
    )


def run_dir(root: Path, run_id: str) -> Path:
    """The folder of a run's log and record."""
    return root / "logs" / run_id


def write(root: Path, record: RunRecord) -> Path:
    """Saves a record, in one step: a reader sees the old one or the new one.

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
    """Reads the records of a root.

    Args:
        root: A root that runs were made at.

    Returns:
        Its runs, the oldest first. A run that says it is running, but whose process is gone, is "interrupted".

    Raises:
        JobError: If there is no such root, or a record cannot be read.
    """
    if not root.is_dir():
        raise JobError("There is no such root.", where=str(root), fix="give the folder that `seqloom run` wrote to")
    return [_read(path, root) for path in sorted(root.glob(f"logs/*/{_RECORD}"))]


def process_token(pid: int) -> str | None:
    """What tells a living process from a later one of the same number: the boot and the time it started.

    Args:
        pid: The process.

    Returns:
        The token, or None if there is no such process or it is a zombie.
    """
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None  # noqa: S603
    try:
        # The command's name, in parentheses, may hold anything; state and start time are fields 3 and 22.
        fields = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    boot = (proc / "sys" / "kernel" / "random" / "boot_id").read_text(encoding="ascii").strip()
    return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"


class RootLock:
    """Holds a root for one run; the kernel lets go of it when the process dies, however it dies."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._descriptor = -1

    def __enter__(self) -> RootLock:
        """Takes the root.

        Raises:
            JobError: If another run holds it, or it is no folder that can be written.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            fix = "give another --root"
            raise JobError("The root cannot be written.", where=str(self._root), found=str(error), fix=fix) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise JobError(
                "Another run is at work at this root.",
                where=str(self._root),
                found=f"the process {holder or 'that is just starting'}",
                fix="wait until it ends, or give another --root",
            ) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def _read(path: Path, root: Path) -> RunRecord:
    try:
        record = RunRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        fix = f"remove {path.parent} if the run does not matter"
        raise JobError("The record of a run cannot be read.", where=str(path), found=str(error), fix=fix) from error
    changes: dict[str, Any] = {"root": str(root)}
    if record.state == "running" and (record.process is None or process_token(record.pid) != record.process):
        changes["state"] = "interrupted"
        changes["components"] = tuple(
            component.model_copy(update={"state": "interrupted"}) if component.state == "running" else component
            for component in record.components
        )
    return record.updated(**changes)
