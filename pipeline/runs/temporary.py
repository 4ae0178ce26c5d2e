"""The folder for temporary files of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def temporary_folder(folder: Path) -> Iterator[None]:
    """Makes a new folder the one for temporary files of this process and its libraries; removes it at the end.

    TensorFlow's autograph, for example, writes a file for every function, and leaves those of killed processes behind.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    before, tempfile.tempdir = tempfile.tempdir, str(folder.absolute())
    variable = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = tempfile.tempdir
    try:
        yield
    finally:
        tempfile.tempdir = before
        if variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = variable
        shutil.rmtree(folder, ignore_errors=True)
