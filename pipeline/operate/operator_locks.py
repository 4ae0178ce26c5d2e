"""Locks of schedulers and backfills of a root; the kernel releases them when their processes end."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.operate.ledger import FOLDER
from trainer.errors import JobError

RUN = "run.lock"
"""Held while a schedule or a backfill runs something, also by the process of the run, which may outlive them."""


@contextlib.contextmanager
def only_one(root: Path, what: str) -> Iterator[None]:
    """Reserves a root, which is created if missing, for one scheduler or backfill.

    Args:
        root: The root.
        what: "scheduler" or "backfill".

    Raises:
        JobError: If another one holds it, or the root is not a writable folder.
    """
    with open_lock(root, f"{what}.lock") as descriptor:
        if not acquire(descriptor):
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            raise JobError(f"Another {what} (process {holder or 'unknown'}) is already using the root {root}.")
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        yield


@contextlib.contextmanager
def open_lock(root: Path, name: str) -> Iterator[int]:
    """Opens the file of a lock.

    Raises:
        JobError: If the root is not a writable folder.
    """
    try:
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / FOLDER / name, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        found, fix = f"{error.strerror}: {error.filename}", "use another --root"
        raise JobError("The root is not a writable folder.", where=str(root), found=found, fix=fix) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def acquire(descriptor: int) -> bool:
    """Acquires a lock if no other process holds it; returns whether it did."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release(descriptor: int) -> None:
    """Releases a lock."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_running(root: Path) -> bool:
    """Whether a run that someone started by hand is using the root."""
    return _is_held(root / ".lock")


def is_operating(root: Path) -> bool:
    """Whether a schedule or backfill is running something at the root."""
    return _is_held(root / FOLDER / RUN)


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not acquire(descriptor)
    finally:
        os.close(descriptor)
