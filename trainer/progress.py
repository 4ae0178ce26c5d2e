"""Progress as structured log records, so that any runner can show it and none is needed."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping

logger = logging.getLogger("seqloom.progress")


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a component has come.

    Attributes:
        done: Units done so far.
        total: Units in all, or None where nobody knows yet.
        unit: What is counted, in the plural: "records", "steps".
        values: Figures to show beside the bar, by name: {"loss": 0.31}.
    """

    done: int
    total: int | None
    unit: str
    values: Mapping[str, float] = dataclasses.field(default_factory=dict)


def report(done: int, total: int | None, unit: str, values: Mapping[str, float] | None = None) -> None:
    """Logs progress; the record carries it as the attribute `progress`."""
    progress = Progress(done, total, unit, dict(values or {}))
    logger.info("%s of %s %s", done, "?" if total is None else total, unit, extra={"progress": progress})
