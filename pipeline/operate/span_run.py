"""Runs a job once for a schedule or a backfill: one process at a time per root, whose outcome is never lost."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pipeline
from pipeline.operate import ledger as ledgers
from pipeline.operate import operator_locks
from pipeline.operate.clock import Clock
from pipeline.operate.ledger import Ledger, Work
from pipeline.runs import record as history
from pipeline.runs.state import RETRY, RunState
from trainer.errors import JobError

_COMPLETE = (RunState.DONE.exit_code, RunState.NOT_BLESSED.exit_code)
"""Exit codes of runs that came to their end, even if the user asked to stop them."""
_RETRY_SECONDS = (60, 120, 240, 480, 960)
_POLL_SECONDS = 1.0

Choice = Callable[[Ledger], Work | None]
"""Returns what to run, given what has been run; None: nothing."""


class SpanRunner:
    """Runs `seqloom run` at a root, and records what it has run.

    Args:
        root: The root.
        config: The path of the job's YAML.
        overrides: The overrides of every run.
        clock: The time, and requests to stop.
        say: Tells the user something.
        command: The start of the command line of a run.
    """

    def __init__(
        self,
        root: Path,
        config: Path,
        overrides: Sequence[str],
        clock: Clock,
        say: Callable[[str], None],
        command: Sequence[str] = (),
    ) -> None:
        self.root, self.clock, self.say = root, clock, say
        self._config, self._overrides = config, overrides
        self._command = command or _own_command()

    def change(self, changed: Callable[[Ledger], Ledger]) -> Ledger:
        """Waits for a run in progress, and changes the ledger; leaves it if the user asks to stop before."""
        with self._reserved() as descriptor:
            if descriptor is None:
                return ledgers.read(self.root)
            return self._write(changed(self._settled()))

    def run(self, choose: Choice) -> tuple[Work, int | None] | None:
        """Waits for a run in progress, and runs what is due then, with retries after passing faults.

        Returns:
            The run and its exit code, None if it was stopped; or None if nothing was due.
        """
        with self._reserved() as descriptor:
            if descriptor is None:
                return None
            ledger = self._settled()
            work = choose(ledger)
            if work is None:
                return None
            code = self._attempts(ledger, work, descriptor)
            if self.clock.stops and code not in _COMPLETE:
                code = None
            self._write(ledger.begun(work).ended(code, self.clock.now()))
            return work, code

    def _attempts(self, ledger: Ledger, work: Work, descriptor: int) -> int | None:
        for attempt, delay in enumerate((*_RETRY_SECONDS, None), start=1):
            begun = work.model_copy(update={"begun": self.clock.now(), "attempt": attempt})
            code = self._process(ledger, begun, descriptor)
            if code != RETRY or delay is None:
                return code
            # Without a process, a restart repeats the run instead of taking its failure for the outcome.
            self._write(ledger.begun(begun))
            self.say(f"A passing fault: attempt {attempt + 1} of {len(_RETRY_SECONDS) + 1} in {delay} s.")
            end = self.clock.now() + datetime.timedelta(seconds=delay)
            while not self.clock.stops and (left := (end - self.clock.now()).total_seconds()) > 0:
                self.clock.wait(min(left, float(delay)))
            if self.clock.stops:
                return None
        return None

    def _process(self, ledger: Ledger, work: Work, descriptor: int) -> int | None:
        """Runs one process to its end; a request to stop becomes its Ctrl-C."""
        self._write(ledger.begun(work))
        if self.clock.stops:
            return None
        overrides = [*self._overrides, *([] if work.span is None else [f"corpus.span={work.span}"])]
        options = [part for override in overrides for part in ("--set", override)]
        command = [*self._command, "run", str(self._config), "--root", str(self.root), *options]
        # In a session of its own, Ctrl-C reaches it once, from here: a second one would end it without a record.
        with subprocess.Popen(command, pass_fds=[descriptor], start_new_session=True) as process:  # noqa: S603
            self._write(ledger.begun(work.model_copy(update={"pid": process.pid})))
            passed_on = 0
            while process.poll() is None:
                if self.clock.stops > passed_on:
                    passed_on = self.clock.stops
                    process.send_signal(signal.SIGINT)
                self.clock.wait_for(process, passed_on)
        return process.returncode

    @contextlib.contextmanager
    def _reserved(self) -> Iterator[int | None]:
        """Waits until nothing runs at the root; yields the lock, or None if the user asks to stop before."""
        with operator_locks.open_lock(self.root, operator_locks.RUN) as descriptor:
            told = False
            while not self.clock.stops:
                if operator_locks.acquire(descriptor) and not operator_locks.is_running(self.root):
                    yield descriptor
                    return
                operator_locks.release(descriptor)
                if not told:
                    self.say("Waiting for the run in progress at this root.")
                    told = True
                self.clock.wait(_POLL_SECONDS)
            yield None

    def _settled(self) -> Ledger:
        """Returns the ledger with the outcome of a run whose scheduler or backfill was killed."""
        ledger = ledgers.read(self.root)
        if ledger.work is None:
            return ledger
        return self._write(settled(ledger, self.root, self.clock.now()))

    def _write(self, ledger: Ledger) -> Ledger:
        ledgers.write(self.root, ledger)
        return ledger


def settled(ledger: Ledger, root: Path, now: datetime.datetime) -> Ledger:
    """Returns a ledger whose run is over, with its outcome by the record that the run wrote; without one, it is due."""
    return ledger.ended(_recorded_code(ledger.work, root), now)


def _recorded_code(work: Work | None, root: Path) -> int | None:
    if work is None or work.pid is None:
        return None
    with contextlib.suppress(JobError):
        for record in reversed(history.read_all(root)):
            if record.pid == work.pid and record.started >= work.begun:
                stopped = record.state in (RunState.RUNNING, RunState.INTERRUPTED)
                return None if stopped else record.state.exit_code
    return None


def _own_command() -> list[str]:
    """Returns the command of `seqloom` in this interpreter, with these packages whatever the current folder has."""
    packages = str(Path(os.path.abspath(pipeline.__file__)).parents[1])  # noqa: PTH100 - links stay as they are
    code = f"import sys; sys.path[0] = {packages!r}; sys.argv[0] = 'seqloom'; from pipeline.cli.app import main; main()"
    return [sys.executable, "-c", code]
