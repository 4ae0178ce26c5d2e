"""Ensures that Ctrl-C is not lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Interrupts:
    """Remembers that the user pressed Ctrl-C.

    Python raises KeyboardInterrupt at any point of the program, and drops it inside a finalizer, for example that of a
    TensorFlow iterator at the end of an epoch; the run would then simply continue.
    """

    def __init__(self) -> None:
        self._asked = False

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Handles Ctrl-C in the main thread, unless Python's own handler has been replaced."""
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
        """Raises an interrupt that Python dropped; call it between steps of the work.

        Raises:
            KeyboardInterrupt: Once, if the user has pressed Ctrl-C.
        """
        if self._asked and threading.current_thread() is threading.main_thread():
            self._asked = False
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        signal.default_int_handler(number, frame)
