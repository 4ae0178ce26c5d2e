"""A systemd timer and its service."""

from __future__ import annotations

import datetime

from pipeline.operate.cron_times import UTC, CronTimes
from pipeline.operate.emission.clock_changes import YEARS, changes
from pipeline.operate.emission.command import Emission
from pipeline.operate.emission.fields import parse_fields
from trainer.errors import JobError

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MAX_EXTRAS = 100


def calendars(times: CronTimes, now: datetime.datetime) -> tuple[list[str], list[str]]:
    """Converts a schedule to systemd's calendar events.

    systemd leaves out times that a day skips, and runs those that it repeats once.

    Returns:
        The events of all days, and those of the hours that the clock skips or repeats in the next ten years.

    Raises:
        JobError: If systemd cannot express the schedule.
    """
    fields = parse_fields(times, "systemd")
    clock = f"{_numbers(fields.hours)}:{_numbers(fields.minutes)}:00 {times.timezone}"
    days = f"*-{_numbers(fields.months)}-{_numbers(fields.days)} {clock}"
    weekdays = ",".join(_WEEKDAYS[day] for day in fields.weekdays or ())
    if fields.either_day:
        regular = [days, f"{weekdays} *-{_numbers(fields.months)}-* {clock}"]
    else:
        regular = [f"{weekdays} {days}".strip()]
    missing = {time for change in changes(times, now) for time in {*change.scheduled} - {*change.first_on_the_wall}}
    if len(missing) > _MAX_EXTRAS:
        raise JobError(
            f"systemd runs {times.expression} only once in the hours that {times.timezone} repeats; use --timezone UTC."
        )
    return regular, [f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" for time in sorted(missing)]


def units(emission: Emission) -> str:
    """Returns the timer and the service, each after a comment with its path."""
    regular, extra = calendars(emission.times, emission.now)
    path = f"/etc/systemd/system/seqloom-{emission.name}"
    timer = [f"# {path}.timer", "[Unit]", f"Description={_escape(emission.title)}", "", "[Timer]"]
    timer += [f"OnCalendar={event}" for event in regular]
    if extra:
        timer += [f"# Hours that the clock skips or repeats in the next {YEARS} years:"]
        timer += [f"OnCalendar={event}" for event in extra]
    timer += ["AccuracySec=1s", f"Persistent={str(emission.catches_up).lower()}", "", "[Install]"]
    timer += ["WantedBy=timers.target", ""]
    command = " ".join(map(_quoted, (*emission.program, *emission.arguments)))
    service = [f"# {path}.service", "[Unit]", f"Description={_escape(emission.title)}", "", "[Service]", "Type=oneshot"]
    # Only the scheduler gets the signal: it ends its run by an interrupt, and waits for it.
    service += [f"ExecStart={command}", "KillMode=mixed", "TimeoutStopSec=5min", ""]
    return "\n".join([*timer, *service])


def _numbers(values: tuple[int, ...] | None) -> str:
    return "*" if values is None else ",".join(f"{value:02}" for value in values)


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(argument: str) -> str:
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("\n", "\\n")
    return f'"{_escape(escaped)}"'
