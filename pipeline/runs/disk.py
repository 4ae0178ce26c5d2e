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
_RESUME = "or use a --root on another disk; then run the same command again to resume"
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
    """Returns what a user can do about an error of a root's disk, or None for another error.

    On a disk without space an error of any kind counts as the disk's: libraries hide what the system refused, such as a
    package whose import fails halfway, or ML Metadata that misses what SQLite has taken back.
    """
    mount = next(folder for folder in (root.resolve(), *root.resolve().parents) if folder.is_mount())
    usage = shutil.disk_usage(mount)
    space = f"{usage.free / 1e6:,.1f} of {usage.total / 1e6:,.0f} MB free now"
    if _mentions(error, _FULL_MESSAGES):
        return _no_space(mount, f"{space}, or a limit on the size of files")
    if usage.free >= _NO_SPACE and _mentions(error, _FAILING_MESSAGES):
        return TransientError(
            "The disk cannot be written.", where=str(mount), found=_text(error), fix=f"check the disk, {_RESUME}"
        )
    if isinstance(error, OSError) and error.filename and root.absolute() in Path(os.fsdecode(error.filename)).parents:
        fix = "make it writable, or use another --root"
        return JobError(
            "A file of the root cannot be written.", where=os.fsdecode(error.filename), found=_text(error), fix=fix
        )
    return _no_space(mount, f"{space}; {_text(error)}") if usage.free < _NO_SPACE else None


def _no_space(mount: Path, found: str) -> JobError:
    expected = "space for several times the size of the corpus, and for the model"
    return JobError(
        "The disk is full.", where=str(mount), found=found, expected=expected, fix=f"free some space, {_RESUME}"
    )


def _text(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {str(error).strip()[:500]}" if str(error).strip() else type(error).__name__


def _mentions(error: BaseException | None, texts: Sequence[str]) -> bool:
    """Returns whether an error or one that it comes from has one of some texts."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if any(text in str(error) for text in texts):
            return True
        error = error.__cause__ or error.__context__
    return False
