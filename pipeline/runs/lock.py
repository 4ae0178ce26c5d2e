"""The lock that admits one run at a time to a root."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType

from trainer.errors import JobError

_FOLDERS = ("artifacts", "checkpoints", "logs", "quarantine", "schema", "serving", "tmp", "tuning")
"""The folders of a root that a run writes to."""


class RootLock:
    """Reserves a root, which is created if missing, for one run; the kernel releases it when the process ends."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._descriptor = -1

    def __enter__(self) -> RootLock:
        """Acquires the lock.

        Raises:
            JobError: If another run holds it, or the root is not a writable folder.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            found = f"{error.strerror}: {error.filename}"
            fix = "use another --root"
            raise JobError("The root is not a writable folder.", where=str(self._root), found=found, fix=fix) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise JobError(
                "Another run is already using this root.",
                where=str(self._root),
                found=f"process {holder}" if holder else "a process that has just started",
                fix="wait until it ends, or use another --root",
            ) from None
        with contextlib.suppress(OSError):  # A full disk is reported by the run.
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor
        self._require_folders()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def _require_folders(self) -> None:
        for name in _FOLDERS:
            path = self._root / name
            if os.path.lexists(path) and not (path.is_dir() and os.access(path, os.W_OK)):
                os.close(self._descriptor)
                fix = "rename it, or use another --root"
                raise JobError(f"{name} in the root is not a writable folder.", where=str(path), fix=fix)
