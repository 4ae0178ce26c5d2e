"""Ctrl-C at a point where Python drops it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.runs.interrupts import Interrupts, Preempted
from trainer.jobs import progress


class Interrupted:
    """Is interrupted in its finalizer."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(10))  # Python raises between two instructions: one has to follow.


@pytest.fixture(autouse=True)
def python_handler() -> Iterator[None]:
    """Python's own handler, however the tests were started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_a_finalizer_drops_is_raised_at_the_next_step() -> None:
    interrupts = Interrupts()
    with interrupts.handled():
        interrupts.raise_if_pressed()
        del_later = Interrupted()
        del del_later
        with pytest.raises(KeyboardInterrupt):
            interrupts.raise_if_pressed()
        interrupts.raise_if_pressed()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_interrupts_are_raised_immediately() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts().handled():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_handler_is_kept() -> None:
    def other(*_: object) -> None:
        """Does nothing."""

    signal.signal(signal.SIGINT, other)
    with Interrupts().handled():
        assert signal.getsignal(signal.SIGINT) is other
        signal.raise_signal(signal.SIGINT)


def test_a_deferred_interrupt_lets_a_block_end() -> None:
    interrupts = Interrupts()
    with interrupts.handled():
        with interrupts.deferred():
            signal.raise_signal(signal.SIGINT)
        assert interrupts.pressed


def test_an_interrupt_that_waits_is_raised_at_the_next_step() -> None:
    interrupts = Interrupts()
    with interrupts.handled():
        interrupts.waits = True
        signal.raise_signal(signal.SIGINT)
        assert interrupts.pressed
        with pytest.raises(KeyboardInterrupt):
            interrupts.raise_if_pressed()


def test_a_termination_is_a_preemption_whose_state_is_saved_first() -> None:
    interrupts = Interrupts()
    with interrupts.handled():
        interrupts.waits = True
        signal.raise_signal(signal.SIGTERM)
        assert progress.stopping.is_set()
        with pytest.raises(Preempted):
            interrupts.raise_if_pressed()
        assert type(interrupts.error()) is Preempted
        interrupts.waits = False
        with pytest.raises(Preempted):
            signal.raise_signal(signal.SIGTERM)
    assert not progress.stopping.is_set()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


STUBBORN = """
import signal
import subprocess
import sys
from pipeline.runs.interrupts import Interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)
with Interrupts(lambda: print("shown", flush=True)).handled():
    texts = iter(["ready", "first"])
    while True:
        try:
            if text := next(texts, ""):
                print(text, flush=True)
            while True:
                pass
        except KeyboardInterrupt:
            pass
"""


def test_a_second_interrupt_ends_the_process() -> None:
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "first\n"
        process.send_signal(signal.SIGINT)
        assert "shown\n" in process.stdout.read()
    assert process.returncode == 130
