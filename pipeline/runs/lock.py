"""The lock that admits one run at a time to a root."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from trainer.errors import JobError


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
            fix = "use another --root"
            raise JobError("The root is not writable.", where=str(self._root), found=str(error), fix=fix) from error
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
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
