"""The root of a run: can it be written, is it free, and can its metadata be read?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.config.plain_paths import plain_path
from pipeline.dag.layout import Layout
from pipeline.diagnosis.diagnosis import Diagnosis, missing, ok, refused, warning
from pipeline.diagnosis.hardware import existing_folder
from pipeline.runs.lock import RootLock
from trainer.errors import JobError, TransientError

_ROOT, _METADATA = "Root", "ML Metadata"
_OTHER_ROOT = "use another --root"


def root_folder(root: Path, *, in_file: bool = True) -> Iterator[Diagnosis]:
    """Yields what is found of a root; writes nothing but the lock of a root that exists.

    Args:
        root: The root.
        in_file: Whether its metadata is in a file of the root.
    """
    if not os.path.lexists(root):
        yield _new(root)
        return
    try:
        with RootLock(root):
            yield ok(_ROOT, f"{root}, writable and not used by a run")
            if in_file:
                yield metadata(root)
    except TransientError as error:
        yield warning(_ROOT, f"{root} is used by {error.found}", error.fix or _OTHER_ROOT)
    except JobError as error:
        yield refused(_ROOT, error, _OTHER_ROOT)


def metadata(root: Path) -> Diagnosis:
    """Checks the metadata of a root whose lock this process holds."""
    if not Path(Layout(root).metadata).exists():
        return ok(_METADATA, "new; the first run creates it")
    from pipeline.runs import metadata_file

    try:
        metadata_file.check(Path(Layout(plain_path(root)).metadata))
    except JobError as error:
        return refused(_METADATA, error, _OTHER_ROOT)
    return ok(_METADATA, f"{Path(Layout(root).metadata).name}, readable")


def _new(root: Path) -> Diagnosis:
    above = existing_folder(root)
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return ok(_ROOT, f"{root}, which a run creates")
    what = "is not writable" if above.is_dir() else "is not a folder"
    return missing(_ROOT, f"{root} cannot be created: {above} {what}", _OTHER_ROOT)
