"""Ensures that Ctrl-C and SIGTERM are not lost, and that a second Ctrl-C ends the process."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from pipeline.runs.state import RunState
from trainer.jobs import progress


class Preempted(KeyboardInterrupt):
    """The machine takes the process away: it got SIGTERM."""


class Interrupts:
    """Handles Ctrl-C during a run, and SIGTERM as a first Ctrl-C.

    Python raises KeyboardInterrupt at any point of the program. It drops it inside a finalizer, for example that of a
    TensorFlow iterator at the end of an epoch, and Beam turns it into another error; the run would then continue or
    fail. A second Ctrl-C ends the process, even if it is in code that does not return to Python.

    Args:
        before_end: Called before a second Ctrl-C ends the process.

    Attributes:
        pressed: Whether the process got SIGINT or SIGTERM.
        waits: Whether an interrupt waits for the next `raise_if_pressed`.
    """

    def __init__(self, before_end: Callable[[], None] = lambda: None) -> None:
        self.pressed = self.waits = False
        self._error: type[KeyboardInterrupt] = KeyboardInterrupt
        self._before_end = before_end
        self._pending = self._deferred = False

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Handles both signals in the main thread, each unless its usual handler has been replaced."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        with self._handling_termination(), self._handling_interrupts():
            yield

    @contextlib.contextmanager
    def _handling_termination(self) -> Iterator[None]:
        replaced = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        if not replaced:
            signal.signal(signal.SIGTERM, self._handle)
        try:
            yield
        finally:
            if not replaced:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            progress.stopping.clear()

    @contextlib.contextmanager
    def _handling_interrupts(self) -> Iterator[None]:
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        receiving, sending = os.pipe()
        os.set_blocking(sending, False)
        before = signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
        threading.Thread(target=self._end_at_second, args=(receiving,), daemon=True).start()
        signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.set_wakeup_fd(before)
            os.close(sending)

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Lets a block run to its end when a signal comes."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    def raise_if_pressed(self) -> None:
        """Raises an interrupt that waits or that Python dropped; call it between steps of the work.

        Raises:
            KeyboardInterrupt: Once, if the user has pressed Ctrl-C; `Preempted` after SIGTERM.
        """
        if self._pending and threading.current_thread() is threading.main_thread():
            self._pending = False
            raise self._error

    def error(self) -> KeyboardInterrupt:
        """Returns what a signal raises, after a library has made another error of it."""
        return self._error()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.pressed = self._pending = True
        if number == signal.SIGTERM:
            self._error = Preempted
            progress.stopping.set()
        if not (self._deferred or self.waits):
            raise self._error

    def _end_at_second(self, signals: int) -> None:
        """Ends the process at its second SIGINT; reads the numbers of its signals until their pipe ends."""
        count = 0
        with os.fdopen(signals, "rb", buffering=0) as numbers:
            while number := numbers.read(1):
                count += number[0] == signal.SIGINT
                if count == 2:
                    self._before_end()
                    os._exit(RunState.INTERRUPTED.exit_code)
