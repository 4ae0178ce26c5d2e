"""Memory of long runs under glibc; other C libraries are left alone."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8
_ARENAS = 2


def share_arenas() -> None:
    """Limits the threads of this process to two of glibc's arenas instead of up to eight per core.

    Memory that a thread frees stays in its arena. Readers and writers of shards come and go, so the memory of a run
    would grow with the corpus (mallopt(3), M_ARENA_MAX).
    """
    _call("mallopt", _M_ARENA_MAX, _ARENAS)


def release_free_memory() -> None:
    """Returns free memory to the system (malloc_trim(3))."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function is not None:
        function(*arguments)
