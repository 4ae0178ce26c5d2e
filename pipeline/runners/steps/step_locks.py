"""The locks of a run by steps. The kernel releases them when a process ends, also on network file systems."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.runs.lock import RootLock
from pipeline.runs.record import run_dir
from trainer.errors import TransientError


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Waits until no other process holds the lock of a file, which is created if missing, and holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class StepLock(RootLock):
    """Reserves a root for the steps of one run, side by side.

    Until `share` is called no other step of the run enters, so that the first one prepares it.

    Attributes:
        alone: Whether no other step is at work.
    """

    def __init__(self, root: Path, run_id: str) -> None:
        super().__init__(root)
        self._holder = f"the steps of run {run_id}"
        self._entrance = contextlib.ExitStack()
        self.alone = False

    def share(self) -> None:
        """Lets other steps of the run enter.

        Raises:
            TransientError: If another run takes the root at this moment.
        """
        if self.alone:
            self._lock(fcntl.LOCK_SH)
        self._entrance.close()

    def _acquire(self) -> None:
        with contextlib.ExitStack() as entrance:
            entrance.enter_context(file_lock(self._root / ".lock-steps"))
            try:
                super()._acquire()
                self.alone = True
            except TransientError:
                self._lock(fcntl.LOCK_SH)
                if self._read_holder() != self._holder:
                    raise
            self._entrance = entrance.pop_all()

    def _lock(self, kind: int) -> None:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._in_use() from None

    def __exit__(self, *error: object) -> None:
        self._entrance.close()
        os.close(self._descriptor)


@contextlib.contextmanager
def component_locks(root: Path, run_id: str, components: tuple[str, ...]) -> Iterator[None]:
    """Reserves components of a run.

    Raises:
        TransientError: If another process runs one of them.
    """
    with contextlib.ExitStack() as stack:
        for component in components:
            path = run_dir(root, run_id) / f".{component}.lock"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TransientError(
                    f"{component} is already running.", where=f"run {run_id}", fix="wait until that process ends"
                ) from None
        yield


def metadata_lock(root: Path) -> contextlib.AbstractContextManager[None]:
    """Holds ML Metadata for one process at a time: SQLite fails if two transactions start to write together."""
    return file_lock(root / ".lock-metadata")
