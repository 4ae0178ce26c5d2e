"""Writes files of a root, and reports what its disk refuses."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from trainer.errors import JobError, TransientError

PARTIAL = ".partial-"
"""Start of the name of a file that is being written."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Libraries keep only the text of the system's error, and SQLite has its own.
_FULL_MESSAGES = (*map(os.strerror, _FULL), "database or disk is full")
_FAILING_MESSAGES = (
    os.strerror(errno.EIO),
    "disk I/O error",
    # ML Metadata's error if the disk refuses a change, which SQLite then takes back on its own.
    "cannot commit - no transaction is active",
)
_NO_SPACE = 1 << 20
"""Free bytes of a disk below which it was full, even if the error does not say so."""


def write(path: Path, content: bytes) -> None:
    """Writes a file atomically, so that a reader sees either the old or the new one; creates its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{PARTIAL}{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def full_or_refused(error: BaseException, root: Path) -> JobError | None:
    """Returns what a user can do about an error of a root's disk, or None for another error."""
    is_full = _mentions(error, _FULL_MESSAGES)
    if is_full or _mentions(error, _FAILING_MESSAGES):
        mount = next(folder for folder in (root.resolve(), *root.resolve().parents) if folder.is_mount())
        usage = shutil.disk_usage(mount)
        is_full = is_full or usage.free < _NO_SPACE
        return (JobError if is_full else TransientError)(
            "The disk is full." if is_full else "The disk cannot be written.",
            where=str(mount),
            found=f"{usage.free / 1e6:,.0f} of {usage.total / 1e6:,.0f} MB free now, or a limit on the size of files",
            expected="space for several times the size of the corpus, and for the model",
            fix="free some space, or use a --root on another disk; then run the same command again to resume",
        )
    if isinstance(error, OSError) and error.filename and root.absolute() in Path(os.fsdecode(error.filename)).parents:
        fix = "make it writable, or use another --root"
        found = error.strerror or type(error).__name__
        return JobError(
            "A file of the root cannot be written.", where=os.fsdecode(error.filename), found=found, fix=fix
        )
    return None


def _mentions(error: BaseException | None, texts: Sequence[str]) -> bool:
    """Returns whether an error or one that it comes from has one of some texts."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if any(text in str(error) for text in texts):
            return True
        error = error.__cause__ or error.__context__
    return False
