"""The fields of a cron expression as sets of numbers."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import cronsim

from pipeline.operate.cron_times import CronTimes
from trainer.errors import JobError

_SIZES = (60, 24, 31, 12, 7)
"""How many numbers each field has."""


class CronFields(NamedTuple):
    """The numbers of each field, None for all; weekday 0 is Sunday.

    Attributes:
        either_day: Whether either the day of the month or the weekday suffices; otherwise both have to fit.
    """

    minutes: tuple[int, ...] | None
    hours: tuple[int, ...] | None
    days: tuple[int, ...] | None
    months: tuple[int, ...] | None
    weekdays: tuple[int, ...] | None
    either_day: bool


def parse_fields(times: CronTimes, target: str) -> CronFields:
    """Returns the fields of a schedule.

    Args:
        times: The schedule.
        target: What they are converted for, for messages.

    Raises:
        JobError: If the schedule names the last day of a month, or its last or n-th weekday.
    """
    parsed = cronsim.CronSim(times.expression, datetime.datetime(2024, 1, 1))
    if any(isinstance(day, tuple) for day in parsed.weekdays) or min(parsed.days) < 0:
        raise JobError(f"L and # in {times.expression} cannot be converted for {target}.")
    weekdays = {day % 7 for day in parsed.weekdays if isinstance(day, int)}
    found = (parsed.minutes, parsed.hours, parsed.days, parsed.months, weekdays)
    minutes, hours, days, months, on = (
        None if len(numbers) == size else tuple(sorted(numbers)) for numbers, size in zip(found, _SIZES, strict=True)
    )
    if not parsed.day_and and (days is None or on is None):
        days = on = None
    return CronFields(minutes, hours, days, months, on, not parsed.day_and and days is not None)
