"""The time, and waiting that a signal ends."""

from __future__ import annotations

import contextlib
import datetime
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from types import FrameType
from typing import Protocol


class Clock(Protocol):
    """The time, waiting, and requests to stop."""

    @property
    def stops(self) -> int:
        """How often the user has asked to stop."""

    def now(self) -> datetime.datetime:
        """Returns the time in UTC."""

    def wait(self, seconds: float) -> None:
        """Waits at most some seconds, less if the user asks to stop."""

    def wait_for(self, process: subprocess.Popen[bytes], stops: int) -> None:
        """Waits until a process ends or the user has asked to stop more than `stops` times."""


class SystemClock:
    """The system's clock; SIGINT and SIGTERM ask to stop."""

    def __init__(self) -> None:
        self.stops = 0
        self._wakeups = -1

    @contextlib.contextmanager
    def listening(self) -> Iterator[SystemClock]:
        """Handles the signals in the main thread."""
        self._wakeups, sending = os.pipe()
        os.set_blocking(sending, False)
        os.set_blocking(self._wakeups, False)
        wakeup_fd = signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
        handlers = {
            signal.SIGINT: signal.signal(signal.SIGINT, self._stop),
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._stop),
            signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None),
        }
        try:
            yield self
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup_fd)
            os.close(sending)
            os.close(self._wakeups)

    def now(self) -> datetime.datetime:
        """Returns the time in UTC."""
        return datetime.datetime.now(datetime.timezone.utc)

    def wait(self, seconds: float) -> None:
        """Waits at most some seconds, less if a signal arrives or has arrived since the last wait."""
        select.select([self._wakeups], [], [], max(0.0, seconds))
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeups, 4096)

    def wait_for(self, process: subprocess.Popen[bytes], stops: int) -> None:
        """Waits until a process ends or the user has asked to stop more than `stops` times."""
        while process.poll() is None and self.stops <= stops:
            self.wait(1.0)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stops += 1
