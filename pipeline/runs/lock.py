"""The lock that admits one run at a time to a root."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from trainer.errors import JobError, TransientError

L = TypeVar("L", bound="RootLock")

_FOLDERS = ("artifacts", "checkpoints", "logs", "quarantine", "schema", "serving", "tmp", "tuning")
"""The folders of a root that a run writes to."""


class RootLock:
    """Reserves a root, which is created if missing, for one run; the kernel releases it when the process ends."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._descriptor = -1
        self._holder = str(os.getpid())

    def __enter__(self: L) -> L:
        """Acquires the lock.

        Raises:
            TransientError: If another run holds it.
            JobError: If the root is not a writable folder.
        """
        self._descriptor = self._open()
        try:
            self._acquire()
            self._require_folders()
        except BaseException:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def _open(self) -> int:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            return os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            found = f"{error.strerror}: {error.filename}"
            fix = "use another --root"
            raise JobError("The root is not a writable folder.", where=str(self._root), found=found, fix=fix) from error

    def _acquire(self) -> None:
        """Takes the lock for this process alone."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._in_use() from None
        with contextlib.suppress(OSError):  # A full disk is reported by the run.
            os.truncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{self._holder}\n".encode(), 0)

    def _read_holder(self) -> str:
        return os.pread(self._descriptor, 256, 0).decode("utf-8", "replace").strip()

    def _in_use(self) -> TransientError:
        holder = self._read_holder()
        found = f"process {holder}" if holder.isdecimal() else holder
        return TransientError(
            "Another run is already using this root.",
            where=str(self._root),
            found=found or "a process that has just started",
            fix="wait until it ends, or use another --root",
        )

    def _require_folders(self) -> None:
        for name in _FOLDERS:
            path = self._root / name
            if os.path.lexists(path) and not (path.is_dir() and os.access(path, os.W_OK)):
                fix = "rename it, or use another --root"
                raise JobError(f"{name} in the root is not a writable folder.", where=str(path), fix=fix)
