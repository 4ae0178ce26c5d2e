"""Redirects all output of a process, including that of its libraries, to a log."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"


@contextlib.contextmanager
def redirect_output(path: Path) -> Iterator[None]:
    """Appends all output to file descriptors 1 and 2, and all logging from INFO up, to a log; creates its folder.

    It works below Python, so it includes the output of C++ libraries and child processes. Output for the terminal needs
    a duplicate of the descriptor that was made before, like `RunConsole`'s. What a full disk refuses is dropped.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _flush()
    saved = os.dup(1), os.dup(2)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # Line-buffered, and with no buffer shared with the descriptors, so that the lines keep their order.
    log = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter(_FORMAT))
    root.handlers, root.level = [handler], logging.INFO
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        _flush()
        for number, descriptor in enumerate(saved, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        root.handlers, root.level = handlers, level
        with contextlib.suppress(OSError):
            log.close()


def _flush() -> None:
    """Flushes the buffers of Python and of the C library, so that no text ends up in the wrong place."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:
                _drop(stream)
    ctypes.CDLL(None).fflush(None)


def _drop(stream: TextIO) -> None:
    """Empties the buffer of a stream whose file takes no more."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
    stream.flush()
