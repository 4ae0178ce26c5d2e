"""A crontab line, for crons that know CRON_TZ."""

from __future__ import annotations

import datetime
import shlex

from pipeline.operate.cron_times import CronTimes
from pipeline.operate.emission.clock_changes import changes
from pipeline.operate.emission.command import Emission
from pipeline.operate.emission.fields import parse_fields
from trainer.errors import JobError


def five_fields(times: CronTimes, now: datetime.datetime, target: str) -> str:
    """Returns a schedule as five fields of numbers, for schedulers that look only at the clock on the wall.

    They leave out times that a day skips, and run twice those that it repeats.

    Args:
        times: The schedule.
        now: The time now.
        target: The scheduler, for messages.

    Raises:
        JobError: If the scheduler would run at other times in the next ten years, or cannot express the schedule.
    """
    fields = parse_fields(times, target)
    if fields.days is not None and fields.weekdays is not None and not fields.either_day:
        raise JobError(
            f"{target} cannot restrict both day of the month and weekday as {times.expression} does; restrict one."
        )
    for change in changes(times, now):
        different = sorted({*change.scheduled} ^ {*change.on_the_wall})
        if different:
            day = f"{times.local(different[0]):%Y-%m-%d}"
            raise JobError(
                f"{target} leaves out or repeats a time of {times.expression} on {day} in {times.timezone}; choose an"
                " hour that the clock does not change, or --timezone UTC."
            )
    return " ".join(
        "*" if values is None else ",".join(map(str, values))
        for values in (fields.minutes, fields.hours, fields.days, fields.months, fields.weekdays)
    )


def crontab(emission: Emission) -> str:
    """Returns the lines of a crontab."""
    command = " ".join(map(shlex.quote, (*emission.program, *emission.arguments))).replace("%", "\\%")
    if "\n" in command:
        raise JobError("A crontab cannot hold a line end.", where="the command", found=repr(command))
    return "\n".join(
        [
            f"# {emission.title}",
            "# CRON_TZ needs cronie (Fedora, RHEL, Arch); the usual cron of Debian and Ubuntu ignores it.",
            f"CRON_TZ={emission.times.timezone}",
            f"{five_fields(emission.times, emission.now, 'cron')} {command}",
            "",
        ]
    )
