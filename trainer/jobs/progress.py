"""Progress as structured log records, which any runner can show and none has to."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import logging
import threading
import types
from collections.abc import Iterator, Mapping, Sequence

logger = logging.getLogger("seqloom.progress")

stopping = threading.Event()
"""Set when the process is about to be ended: the next report may raise, so what a retry should resume from is saved."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """The progress of a component.

    Attributes:
        done: Units done so far.
        total: Units in total, or None if not known yet.
        unit: The unit in the plural: "records", "steps".
        values: Values to show next to the bar, by name: {"loss": 0.31}.
    """

    done: int
    total: int | None
    unit: str
    values: Mapping[str, float] = dataclasses.field(default_factory=dict)


_surrounding: contextvars.ContextVar[Mapping[str, float]] = contextvars.ContextVar(
    "surrounding", default=types.MappingProxyType({})
)


@contextlib.contextmanager
def within(values: Mapping[str, float]) -> Iterator[None]:
    """Adds values to all progress reported in the context, for example the number of a trial."""
    token = _surrounding.set(values)
    try:
        yield
    finally:
        _surrounding.reset(token)


def report(done: int, total: int | None, unit: str, values: Mapping[str, float] | None = None) -> None:
    """Logs progress; the record carries it as the attribute `progress`."""
    progress = Progress(done, total, unit, {**_surrounding.get(), **(values or {})})
    logger.info("%s of %s %s", done, "?" if total is None else total, unit, extra={"progress": progress})


def working(what: str, tokens: Sequence[int] | None = None, *, whole: bool = True) -> None:
    """Logs what is computed next; the record carries it as the attribute `working`.

    Args:
        what: The computation.
        tokens: The shape of its batch.
        whole: Whether an interrupt should wait for its end, the attribute `whole` of the record: one that comes while
            TensorFlow builds a graph can crash the process.
    """
    text = what if tokens is None else f"{what}, batch of {' x '.join(f'{size:,}' for size in tokens)} tokens"
    logger.info("%s", text, extra={"working": text, "whole": whole})
