"""Delivers events on threads of their own, so that a service that hangs or fails never holds up a run."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pipeline.events.run_event import RunEvent
from pipeline.runs.record import RunRecord
from trainer.errors import JobError

CALL_SECONDS = 4.0
"""How long a service has to answer one call."""

_END_SECONDS = 5.0
"""How long a run waits at its end for all services together."""

_WAITING = 2000
"""Events that wait for one service; more are dropped."""


class Sink(Protocol):
    """Takes the events of a run."""

    def send(self, event: RunEvent, record: RunRecord) -> None:
        """Sends an event of a record; any exception means that it is lost."""


MakeSink = Callable[[], Sink]
"""Makes a sink in the thread that uses it, since libraries may take long to import."""


class Delivery:
    """Takes events without waiting, and hands them to sinks, each on its own thread.

    Args:
        sinks: How to make each sink, by its name for messages.
    """

    def __init__(self, sinks: Mapping[str, MakeSink]) -> None:
        self._outlets = [_Outlet(name, make) for name, make in sinks.items()]

    def put(self, events: Sequence[RunEvent], record: RunRecord) -> None:
        """Takes events of a record."""
        for outlet in self._outlets:
            for event in events:
                outlet.put(event, record)

    def close(self) -> list[str]:
        """Waits some seconds for what is still to be sent, and returns one sentence per sink that has lost events."""
        end = time.monotonic() + _END_SECONDS
        for outlet in self._outlets:
            outlet.finish()
        return [text for outlet in self._outlets if (text := outlet.wait(end))]


class _Outlet:
    """A sink with its queue and thread; the thread does not keep the process alive."""

    def __init__(self, name: str, make: MakeSink) -> None:
        self._name, self._make = name, make
        self._queue: queue.Queue[tuple[RunEvent, RunRecord] | None] = queue.Queue(_WAITING)
        self._taken = self._sent = 0
        self._reason: str | None = None
        self._thread = threading.Thread(target=self._work, name=f"events-{name}", daemon=True)
        self._thread.start()

    def put(self, event: RunEvent, record: RunRecord) -> None:
        self._taken += 1
        try:
            self._queue.put_nowait((event, record))
        except queue.Full:
            self._reason = self._reason or "too many events wait for it"

    def finish(self) -> None:
        try:
            self._queue.put_nowait(None)
        except queue.Full:  # It is not waited for much longer in any case.
            return

    def wait(self, end: float) -> str | None:
        self._thread.join(max(0.0, end - time.monotonic()))
        lost = self._taken - self._sent
        if not lost:
            return None
        reason = self._reason or f"no answer within {_END_SECONDS:g} seconds of the end of the run"
        return f"{self._name} has not got {lost} of {self._taken} events: {reason}."

    def _work(self) -> None:
        sink: Sink | None = None
        while (item := self._queue.get()) is not None:
            try:
                sink = sink or self._make()
                sink.send(*item)
            except Exception as error:  # A library may raise anything.
                self._reason = self._reason or _reason(error)
            else:
                self._sent += 1


def _reason(error: BaseException) -> str:
    """Returns why a call failed, without the URL, which may be secret and is in the text of many errors."""
    if isinstance(error, JobError):
        return error.what.rstrip(".")
    seen: set[int] = set()
    chain: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        chain.append(found)
        reason = getattr(found, "reason", None)
        found = (reason if isinstance(reason, BaseException) else None) or found.__cause__ or found.__context__
    for each in chain:
        status = getattr(getattr(each, "response", None), "status_code", None) or getattr(each, "code", None)
        if isinstance(status, int):
            return f"HTTP status {status}"
    for each in chain:
        if isinstance(each, TimeoutError) or "Timeout" in type(each).__name__:
            return f"no answer within {CALL_SECONDS:g} seconds"
    texts = [each.strerror for each in chain if isinstance(each, OSError) and each.strerror]
    return texts[-1] if texts else type(error).__name__
