"""Ctrl-C that is not lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Interrupts:
    """Keeps in mind that the user asked to stop.

    Python raises KeyboardInterrupt wherever the program is, and drops it where that is a finalizer, such as those of
    TensorFlow's functions and iterators at the end of an epoch; the run would go on as if nobody had asked.
    """

    def __init__(self) -> None:
        self._asked = False

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Listens to Ctrl-C, where Python's own handler would."""
        listens = threading.current_thread() is threading.main_thread()
        if not listens or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def raise_if_asked(self) -> None:
        """Called where work goes on.

        Raises:
            KeyboardInterrupt: If the user asked to stop, once each time.
        """
        if self._asked and threading.current_thread() is threading.main_thread():
            self._asked = False
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        signal.default_int_handler(number, frame)
