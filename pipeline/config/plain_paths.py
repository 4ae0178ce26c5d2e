"""Paths that no library takes for a pattern."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from trainer.errors import JobError

_SPECIAL = re.compile(r"[*?\[\\]")


def plain_path(path: Path) -> Path:
    """Returns the one absolute path of an existing folder without links and without the characters of globs.

    TFX, Beam and TensorFlow take names with such characters for patterns that match something else. Such a folder is
    reached by a link in the folder for temporary files, whose name stays the same, so that the cache works.

    Raises:
        JobError: If the path is not UTF-8, or the link cannot be made.
    """
    found = path.resolve()
    try:
        name = hashlib.sha256(str(found).encode()).hexdigest()[:16]
    except UnicodeEncodeError:
        raise JobError("A path is not UTF-8.", where=ascii(str(found)), fix="rename the folder") from None
    if not _SPECIAL.search(str(found)):
        return found
    folder = Path(tempfile.gettempdir(), f"seqloom-{os.getuid()}")
    link = folder / name
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.lstat().st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to another user")
        if not link.is_symlink() or link.readlink() != found:
            partial = folder / f".{name}-{os.getpid()}"
            partial.symlink_to(found)
            partial.replace(link)
    except OSError as error:
        fix = "rename the folder, without any of the characters * ? [ \\"
        raise JobError("The path has special characters.", where=str(found), found=str(error), fix=fix) from error
    return link
