"""The command that another scheduler runs, and what it needs to know of the job."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.operate.cron_times import CronTimes


class Emission(NamedTuple):
    """A schedule for another scheduler.

    Attributes:
        name: The job's name.
        times: The schedule.
        program: The command and its first arguments, which run `seqloom`.
        arguments: Its further arguments, which run what is due and end.
        root: The absolute path of the root.
        catches_up: Whether to run a time that passed while nothing listened.
        deadline: How late a time may start; None: at any time.
        now: The time now.
    """

    name: str
    times: CronTimes
    program: tuple[str, ...]
    arguments: tuple[str, ...]
    root: Path
    catches_up: bool
    deadline: datetime.timedelta | None
    now: datetime.datetime

    @property
    def title(self) -> str:
        """What it is, in one line."""
        return f"seqloom: {self.name} at {self.times.expression} in {self.times.timezone}"
