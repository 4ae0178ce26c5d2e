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
        self._pressed = False

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Handles Ctrl-C in the main thread, unless Python's own handler has been replaced."""
        listens = threading.current_thread() is threading.main_thread()
        if not listens or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def raise_if_pressed(self) -> None:
        """Raises an interrupt that Python dropped; call it between steps of the work.

        Raises:
            KeyboardInterrupt: Once, if the user has pressed Ctrl-C.
        """
        if self._pressed and threading.current_thread() is threading.main_thread():
            self._pressed = False
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._pressed = True
        signal.default_int_handler(number, frame)
