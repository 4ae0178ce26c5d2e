"""Follows a run to keep its record and the console up to date."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from pipeline.console.live import RunConsole
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.record import ComponentRecord, RunRecord
from pipeline.runs.state import ComponentState
from trainer.jobs.progress import Progress
from trainer.jobs.progress import logger as progress_logger


@dataclasses.dataclass
class _ComponentRow:
    state: ComponentState = ComponentState.WAITING
    started: float = 0.0
    seconds: float | None = None
    records: int | None = None


class Watch(logging.Handler):
    """Observes a runner and what its components log.

    Args:
        record: The run's record.
        save: Saves the record, called at every change.
        console: Shows the run.
        components: The components to observe, in order.
        interrupts: Raises what Python drops, between steps.
    """

    def __init__(
        self,
        record: RunRecord,
        save: Callable[[RunRecord], object],
        console: RunConsole,
        components: Sequence[str],
        interrupts: Interrupts,
    ) -> None:
        super().__init__(logging.INFO)
        self._record, self._save, self._console = record, save, console
        self._rows = {name: _ComponentRow() for name in components}
        self._interrupts = interrupts
        self.current: str | None = None

    @property
    def record(self) -> RunRecord:
        """The run's record with the current states of its components."""
        components = [
            ComponentRecord(name=name, state=row.state, seconds=row.seconds, records=row.records)
            for name, row in self._rows.items()
        ]
        return self._record.updated(components=components)

    @contextlib.contextmanager
    def following(self, wanted: Collection[str]) -> Iterator[None]:
        """Listens for progress and this project's warnings; components that are not wanted are skipped."""
        from absl import logging as absl_logging

        for name in self._rows:
            if name not in wanted:
                self.skipped(name)
        absl_logging.set_verbosity(absl_logging.INFO)
        loggers = [progress_logger, logging.getLogger("seqloom")]
        for logger in loggers:
            logger.addHandler(self)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self)

    def started(self, component: str) -> None:
        """A component has started.

        Raises:
            KeyboardInterrupt: If the user has pressed Ctrl-C.
        """
        self._interrupts.raise_if_pressed()
        self.current = component
        self._change(component, ComponentState.RUNNING)

    def ended(self, component: str, state: ComponentState) -> None:
        """A component has ended.

        Raises:
            KeyboardInterrupt: If the user has pressed Ctrl-C during a last computation that should end.
        """
        self._change(component, state)
        if self._interrupts.waits:
            self._interrupts.waits = False
            self._interrupts.raise_if_pressed()

    def skipped(self, component: str) -> None:
        """A component does not run."""
        self._change(component, ComponentState.SKIPPED)

    def stop(self, state: ComponentState) -> None:
        """The run has ended early; sets the state of its running component, if any."""
        if self.current and self._rows[self.current].state is ComponentState.RUNNING:
            self._change(self.current, state)

    def emit(self, record: logging.LogRecord) -> None:
        """Records progress, and shows warnings on the console.

        Raises:
            KeyboardInterrupt: If the user has pressed Ctrl-C.
        """
        progress, whole = getattr(record, "progress", None), getattr(record, "whole", None)
        if whole is not None:
            self._interrupts.raise_if_pressed()
            self._interrupts.waits = whole
        elif isinstance(progress, Progress):
            self._interrupts.raise_if_pressed()
            if self.current and progress.unit == "records":
                self._rows[self.current].records = progress.done
        elif record.levelno >= logging.WARNING:
            self._console.message(f"Warning: {record.getMessage()}")

    def _change(self, name: str, state: ComponentState) -> None:
        row = self._rows[name]
        row.state = state
        if state is ComponentState.RUNNING:
            row.started = time.monotonic()
        elif row.started:
            row.seconds = round(time.monotonic() - row.started, 3)
        self._save(self.record)
        self._console.component(name, state, row.seconds)
