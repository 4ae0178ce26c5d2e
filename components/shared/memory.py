"""Memory of long runs."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8
_ARENAS = 2


def share_arenas() -> None:
    """Lets the threads of this process share two of glibc's arenas instead of having up to eight a core.

    What a thread frees stays in its arena. Readers and writers of shards come and go, so that the memory of a run would
    grow with the corpus (mallopt(3), M_ARENA_MAX). Other C libraries have no arenas, and nothing is done.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENAS)


def release_free_memory() -> None:
    """Gives memory that is free back to the system, where the C library is glibc (malloc_trim(3))."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
