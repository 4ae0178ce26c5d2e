"""Follows a local run through what TFX logs, and keeps its record and the console up to date."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pipeline.console.live import RunConsole
from pipeline.runs import record as history
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.record import ComponentRecord, ComponentState, RunRecord
from trainer.progress import Progress
from trainer.progress import logger as progress_logger

_MESSAGES: dict[str, ComponentState | None] = {
    "Component %s is running.": "running",
    "A cached execution %d is used.": "cached",
    "Component %s is finished.": None,
}
"""What TFX's local runner logs of each component, and the state it tells; None: whatever it was."""


@dataclasses.dataclass
class _ComponentRow:
    state: ComponentState = "waiting"
    started: float = 0.0
    seconds: float | None = None
    records: int | None = None


class Watch(logging.Handler):
    """Turns log records into states of components.

    Args:
        record: The run's record, saved at every change.
        root: The root of the run.
        console: Shows the run.
        components: The components of the job, in order.
    """

    def __init__(self, record: RunRecord, root: Path, console: RunConsole, components: Sequence[str]) -> None:
        super().__init__(logging.INFO)
        self._record, self._root, self._console = record, root, console
        self._rows = {name: _ComponentRow() for name in components}
        self._interrupts = Interrupts()
        self.current: str | None = None

    @property
    def record(self) -> RunRecord:
        """The run's record with the components as they stand."""
        rows = [(name, row.state, row.seconds, row.records) for name, row in self._rows.items()]
        components = [ComponentRecord(name=n, state=s, seconds=t, records=r) for n, s, t, r in rows]
        return self._record.updated(components=tuple(components))

    @contextlib.contextmanager
    def following(self, wanted: Sequence[str]) -> Iterator[None]:
        """Listens to TFX, to progress and to this project's warnings.

        Args:
            wanted: The components that run; the others are skipped.
        """
        from absl import logging as absl_logging

        for name in self._rows:
            if name not in wanted:
                self._change(name, "skipped")
        absl_logging.set_verbosity(absl_logging.INFO)
        loggers = [absl_logging.get_absl_logger(), progress_logger, logging.getLogger("seqloom")]
        for logger in loggers:
            logger.addHandler(self)
        try:
            with self._interrupts.kept():
                yield
        finally:
            for logger in loggers:
                logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Takes what one log record tells.

        Raises:
            KeyboardInterrupt: If work goes on although the user asked to stop.
        """
        progress = getattr(record, "progress", None)
        if isinstance(progress, Progress):
            self._interrupts.raise_if_asked()
            if self.current and progress.unit == "records":
                self._rows[self.current].records = progress.done
        elif record.name.startswith("seqloom") and record.levelno >= logging.WARNING:
            self._console.message(f"Warning: {record.getMessage()}")
        elif record.msg in _MESSAGES:
            self._advance(_MESSAGES[record.msg], record)

    def stop(self, state: Literal["failed", "interrupted"]) -> None:
        """The component at work did not end well."""
        if self.current and self._rows[self.current].state == "running":
            self._change(self.current, state)

    def _advance(self, state: ComponentState | None, record: logging.LogRecord) -> None:
        if state == "running":
            self._interrupts.raise_if_asked()
            self.current = str(record.args[0]) if isinstance(record.args, tuple) else None
        if self.current in self._rows:
            self._change(self.current, state or ("cached" if self._rows[self.current].state == "cached" else "done"))

    def _change(self, name: str, state: ComponentState) -> None:
        row = self._rows[name]
        if row.state == state:
            return
        row.state = state
        if state == "running":
            row.started = time.monotonic()
        elif row.started:
            row.seconds = round(time.monotonic() - row.started, 3)
        history.write(self._root, self.record)
        self._console.component(name, state, seconds=row.seconds, records=row.records)
