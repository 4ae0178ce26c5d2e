"""The lock of a serving directory: one process at a time changes its versions."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator

_logger = logging.getLogger("seqloom.pusher")


@contextlib.contextmanager
def locked(directory: str) -> Iterator[None]:
    """Waits until no other process changes a serving directory, which is created if it does not exist.

    The folder itself is locked, so that it holds no file of the lock, and a killed process leaves none. Directories on
    object stores have no locks: their users let one process at a time publish.
    """
    if "://" in directory:
        yield
        return
    os.makedirs(directory, exist_ok=True)  # noqa: PTH103 - a string, as all places of versions are
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _logger.info("Waiting for the process that changes the versions in %s.", directory)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
