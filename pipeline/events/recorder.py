"""Saves the record of a run together with the events that each change of it means."""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.events.run_event import RunEvent, changes
from pipeline.runs import record as history
from pipeline.runs.record import RunRecord, run_dir

FILE = "events.jsonl"

_logger = logging.getLogger("seqloom.events")

Deliver = Callable[[Sequence[RunEvent], RunRecord], None]


class Recorder:
    """Saves the states of a run's record, and writes the events between them to `logs/<run id>/events.jsonl`.

    Several processes may do so for one run, if they hold its lock while they change the record.

    Args:
        root: The root.
        deliver: Takes the events and the record that they come from; it must not raise or wait.
    """

    def __init__(self, root: Path, deliver: Deliver) -> None:
        self._root, self._deliver = root, deliver
        self._unsaved: RunRecord | None = None
        self._complete = True

    def save(self, record: RunRecord) -> None:
        """Saves a record and its events. If the disk refuses the record, the events are still delivered.

        Raises:
            OSError: If the record cannot be written. An events file that cannot be written is only a warning.
        """
        before, self._unsaved = self._unsaved or history.stored(self._root, record.run_id), record
        events = changes(before, record, datetime.datetime.now(datetime.timezone.utc))
        try:
            history.write(self._root, record)
            self._unsaved = None
        finally:
            if events:
                self._append(record.run_id, events)
                self._deliver(events, record)

    def _append(self, run_id: str, events: Sequence[RunEvent]) -> None:
        path = run_dir(self._root, run_id) / FILE
        try:
            append(path, "".join(event.line for event in events).encode())
        except OSError as error:
            if self._complete:
                _logger.warning("%s lacks events, because it cannot be written: %s", path, error.strerror)
            self._complete = False


def append(path: Path, lines: bytes) -> None:
    """Appends lines to a file by one write, so that a reader sees only whole ones; creates its folder.

    Raises:
        OSError: If they do not fit; then the file ends as before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        try:
            written = os.write(descriptor, lines)
            while written < len(lines):
                written += os.write(descriptor, lines[written:])
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
