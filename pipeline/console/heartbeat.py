"""Signs of life of a run between its lines of output."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_PERIOD = 60.0
"""Seconds of silence after which a line is due."""


class Heartbeat:
    """Calls a function whenever the output has been silent for a minute, in a thread of its own.

    Args:
        say: Writes a line.
        clock: Returns seconds.
    """

    def __init__(self, say: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._last = clock()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Starts the thread, which ends with the process at the latest."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()

    def heard(self) -> None:
        """Notes a line of output."""
        self._last = self._clock()

    def beat(self) -> float:
        """Says a line if it is due; returns the seconds until the next one may be."""
        if self._clock() - self._last >= _PERIOD:
            self.heard()
            self._say()
        return _PERIOD - (self._clock() - self._last)

    def _run(self) -> None:
        while not self._stopped.wait(max(self.beat(), 0.0)):
            pass
