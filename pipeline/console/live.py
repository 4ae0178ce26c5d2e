"""Shows a run as a live table on a terminal, and as plain lines elsewhere."""

from __future__ import annotations

import dataclasses
import io
import logging
import os
import sys
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipeline.console.heartbeat import Heartbeat
from pipeline.console.printing import plain
from pipeline.console.tables import (
    anomalies_table,
    anomaly_line,
    duration,
    metrics_table,
    number,
    trials_table,
    verdict_text,
)
from pipeline.runs.details import AnomalyDetails
from pipeline.runs.record import RunRecord
from pipeline.runs.state import ComponentState
from trainer.jobs.progress import Progress
from trainer.jobs.progress import logger as progress_logger

_RECORDS = "records"
_LOOPS = ("trial", "epoch")
"""The loops that progress belongs to, outermost first; a line is printed at the end of each iteration."""
_NOTICED = 5.0
"""Seconds after which a user wonders what a step is doing."""


@dataclasses.dataclass
class _Row:
    state: ComponentState = ComponentState.WAITING
    started: float | None = None
    seconds: float | None = None
    records: int | None = None
    progress: Progress | None = None
    working: str = ""
    since: float = 0.0

    def elapsed(self) -> float | None:
        if self.seconds is None and self.state is ComponentState.RUNNING and self.started is not None:
            return time.monotonic() - self.started
        return self.seconds

    def rate(self) -> float | None:
        elapsed = self.elapsed()
        timed = self.state in {ComponentState.RUNNING, ComponentState.DONE}
        return self.records / elapsed if self.records and elapsed and timed else None

    def busy(self) -> str:
        """What the component has been computing for some seconds; empty if it has just reported progress."""
        seconds = time.monotonic() - self.since
        return f"{self.working}, for {duration(seconds)}" if self.working and seconds >= _NOTICED else ""


class RunConsole(logging.Handler):
    """Shows a run. Writes to its own duplicate of standard output, so that the process's can be redirected.

    Enter it before `redirect_output`; it then shows what `trainer.jobs.progress.report` logs, which reaches
    no other handler. All methods are thread-safe.

    Args:
        console: The console to write to instead.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(logging.INFO)
        self._console = console or _own_console()
        self._rows: dict[str, _Row] = {}
        self._current: str | None = None
        self._live: Live | None = None
        self._heartbeat = Heartbeat(self._say)
        self._lock = threading.RLock()
        self._logger_before = (progress_logger.level, progress_logger.propagate)

    def __enter__(self) -> RunConsole:
        self._logger_before = (progress_logger.level, progress_logger.propagate)
        progress_logger.addHandler(self)
        progress_logger.setLevel(logging.INFO)
        progress_logger.propagate = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        progress_logger.removeHandler(self)
        level, progress_logger.propagate = self._logger_before
        progress_logger.setLevel(level)
        for name, row in self._rows.items():
            if row.state is ComponentState.RUNNING:
                failed = kind is not None and issubclass(kind, Exception)
                state = ComponentState.FAILED if failed else ComponentState.INTERRUPTED
                self.component(name, state, row.elapsed())
        self._stop_live()

    def start(self, components: Sequence[str]) -> None:
        """Shows the components in order, all waiting."""
        with self._lock:
            self._rows = {name: _Row() for name in components}
        if self._console.is_terminal:
            # Without rich's own redirection, because prints belong in the log.
            self._live = Live(
                console=self._console,
                get_renderable=self._render,
                refresh_per_second=4,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start(refresh=True)
        else:
            self._heartbeat.start()

    def component(self, name: str, state: ComponentState, seconds: float | None = None) -> None:
        """Shows a component's new state, and its duration if it has run."""
        with self._lock:
            row = self._rows.setdefault(name, _Row())
            if state is ComponentState.RUNNING:
                self._current, row.started = name, time.monotonic()
            row.state, row.seconds = state, seconds
            if self._live is None:
                if state is not ComponentState.RUNNING and row.progress is not None and row.progress.unit != _RECORDS:
                    self.message(f"{name}: {_format_progress(row.progress)}")
                self.message(_format_row(name, row))
            if state is not ComponentState.RUNNING and self._current == name:
                self._current, row.progress = None, None

    def emit(self, record: logging.LogRecord) -> None:
        """Shows the log record's progress, or what it says is computed next, for the running component."""
        progress = getattr(record, "progress", None)
        with self._lock:
            row = self._rows.get(self._current or "")
            if row is None:
                return
            row.working, row.since = getattr(record, "working", ""), time.monotonic()
            if not isinstance(progress, Progress):
                return
            before, row.progress = row.progress, progress
            if progress.unit == _RECORDS:
                row.records = progress.done
            elif self._live is None and before is not None and before.unit != _RECORDS:
                earlier, now = ([one.values.get(name) for name in _LOOPS] for one in (before, progress))
                if earlier != now:
                    self.message(f"{self._current}: {_format_progress(before)}")

    def message(self, text: str) -> None:
        """Prints a line, above the table if one is shown."""
        self._heartbeat.heard()
        self._console.print(plain(text), soft_wrap=True)

    def anomalies(self, anomalies: Collection[AnomalyDetails]) -> None:
        """Shows anomalies, as a table on a terminal and as one line per anomaly elsewhere."""
        if anomalies and self._console.is_terminal:
            self._console.print(anomalies_table(anomalies))
            return
        for anomaly in anomalies:
            self.message(anomaly_line(anomaly))

    def result(self, record: RunRecord, log: Path | None = None) -> None:
        """Prints a finished run's metrics, verdict, published model and log, by default that of the whole run."""
        self._stop_live()
        if record.metrics:
            self._console.print(metrics_table(record.metrics, record.details.baselines))
        tuning = record.details.tuning
        if tuning is not None:
            self._console.print(trials_table(tuning))
        self._console.print(verdict_text(record), soft_wrap=True)
        if record.pushed:
            self.message(f"Model: {_from_here(record.pushed.path)}")
        if tuning is not None:
            self.message(f"Best:  {_from_here(tuning.path)}")
        self.message(f"Log:   {_from_here(log or record.log)}")

    def step_result(self, record: RunRecord, log: Path | None) -> None:
        """Prints how a run stands after one of its steps: its results, or what it waits for."""
        waiting = [component.name for component in record.components if not component.state.complete]
        if not waiting:
            self.result(record, log)
            return
        self._stop_live()
        self.message(f"Run {record.run_id} still needs {', '.join(waiting)}.")
        if log is not None:
            self.message(f"Log: {_from_here(log)}")

    def restore_terminal(self) -> None:
        """Shows the cursor again, whatever other threads hold; for a process that ends at once."""
        if self._live is not None:
            os.write(self._console.file.fileno(), b"\x1b[?25h\n")

    def _say(self) -> None:
        """Prints how long the running component has been running, and what it is computing."""
        with self._lock:
            row = self._rows.get(self._current or "")
            if row is not None:
                words = [row.busy() or (_format_progress(row.progress) if row.progress else "")]
                self.message(
                    ", ".join([f"{self._current}: running, {duration(row.elapsed() or 0.0)}", *filter(None, words)])
                )

    def _stop_live(self) -> None:
        self._heartbeat.stop()
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _render(self) -> RenderableType:
        with self._lock:
            table = Table(box=SIMPLE_HEAD, pad_edge=False)
            for heading in ("component", "state", "records", "records/s", "seconds"):
                table.add_column(heading, justify="left" if heading in {"component", "state"} else "right")
            for name, row in self._rows.items():
                table.add_row(*_cells(name, row))
            row_now = self._rows.get(self._current or "")
            progress, busy = (row_now.progress, row_now.busy()) if row_now else (None, "")
            bar = [_bar(progress)] if progress and progress.unit != _RECORDS else []
            return Group(table, *bar, *([Text(busy)] if busy else []))


def _own_console() -> Console:
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except (AttributeError, OSError, io.UnsupportedOperation):
        return Console(highlight=False)
    file = os.fdopen(descriptor, "w", encoding=sys.stdout.encoding, errors="replace", buffering=1)
    # rich reads the size from the standard streams, which may all be files or pipes by then. 0 means unknown.
    size = os.get_terminal_size(descriptor) if os.isatty(descriptor) and not os.isatty(0) else os.terminal_size((0, 0))
    return Console(file=file, highlight=False, width=size.columns or None, height=size.lines or None)


def _format_progress(progress: Progress) -> str:
    values = dict(progress.values)
    words = []
    for name in _LOOPS:
        if name in values:
            total = values.pop(f"{name}s", None)
            words.append(f"{name} {number(values.pop(name))}" + (f"/{number(total)}" if total else ""))
    of = f"/{progress.total:,}" if progress.total else ""
    words.append(f"{progress.unit} {progress.done:,}{of}")
    for name, value in values.items():
        label = name.replace("_per_second", "/s").replace("_", " ")
        words.append(f"{number(value)} {label}" if label.endswith("/s") else f"{label} {number(value)}")
    return ", ".join(words)


def _format_row(name: str, row: _Row) -> str:
    words = [f"{name}: {row.state}"]
    if row.state not in {ComponentState.RUNNING, ComponentState.WAITING}:
        if row.seconds is not None:
            words.append(duration(row.seconds))
        if row.records is not None:
            words.append(f"{row.records:,} records")
        rate = row.rate()
        if rate is not None:
            words.append(f"{rate:,.0f}/s")
    return ", ".join(words)


def _from_here(path: str | Path) -> str:
    """Returns a path as a user types it: relative if it is below the working folder."""
    here = Path.cwd()
    return str(Path(path).relative_to(here) if Path(path).is_relative_to(here) else path)


def _cells(name: str, row: _Row) -> tuple[Text, ...]:
    elapsed, rate = row.elapsed(), row.rate()
    return (
        Text(name, "dim" if row.state is ComponentState.WAITING else ""),
        Text(row.state.value, row.state.style),
        Text("" if row.records is None else f"{row.records:,}"),
        Text("" if rate is None else f"{rate:,.0f}"),
        Text("" if elapsed is None else f"{elapsed:.1f}"),
    )


def _bar(progress: Progress) -> Table:
    line = Table.grid(padding=(0, 1))
    line.add_row(
        ProgressBar(total=progress.total, completed=progress.done, width=24),
        Text(_format_progress(progress), overflow="ellipsis", no_wrap=True),
    )
    return line
