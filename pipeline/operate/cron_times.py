"""The times of a cron expression in a time zone."""

from __future__ import annotations

import datetime
import enum
import itertools
import zoneinfo
from collections.abc import Iterator

import cronsim

from trainer.errors import JobError

UTC = datetime.timezone.utc
_MINUTE = datetime.timedelta(minutes=1)
_ONE_DAY = datetime.timedelta(days=1)
_TICK = datetime.timedelta(microseconds=1)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class CatchUp(str, enum.Enum):
    """Which of several times that have passed to run: each, the last, or none."""

    ALL = "all"
    LAST = "last"
    NONE = "none"


class CronTimes:
    """A cron expression in a time zone, with the times of Debian's cron.

    A job of fixed times runs once on the day that repeats an hour, and right after the hour that a day skips. One whose
    minute or hour starts with * runs by the clock on the wall. Weekday 0 and 7 are Sunday; if the day of the month and
    the weekday are both restricted, either suffices, unless one starts with *.

    Args:
        expression: Five fields: minute, hour, day of the month, month, weekday.
        timezone: The name of a time zone, such as Europe/Berlin.

    Raises:
        JobError: If the expression or the time zone is invalid, or no time fits.
    """

    def __init__(self, expression: str, timezone: str) -> None:
        self.expression, self.timezone = " ".join(expression.split()), timezone
        try:
            self.zone = zoneinfo.ZoneInfo(timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            expected = "a name such as Europe/Berlin or UTC"
            raise JobError("The time zone is unknown.", where="--timezone", found=timezone, expected=expected) from None
        fields = self.expression.split()
        found = f"{len(fields)} fields: {expression}"
        if len(fields) == 5:
            try:
                next(self.after(datetime.datetime(2024, 1, 1, tzinfo=UTC)))
                return
            except cronsim.CronSimError as error:
                found = f"{expression}: {error}"
            except StopIteration:
                found = f"{expression}, which is never"
        expected = 'five fields: minute, hour, day of the month, month, weekday; e.g. "15 2 * * *"'
        raise JobError("The cron expression is invalid.", where="--cron", found=found, expected=expected)

    def after(self, time: datetime.datetime) -> Iterator[datetime.datetime]:
        """Yields the scheduled times after a time, in UTC, each once and in order."""
        # The search starts a day early: inside an hour that a day repeats, it would not find all times.
        return self._ordered(self._search(self.expression, time - _ONE_DAY), time)

    def on_the_wall(self, start: datetime.datetime, end: datetime.datetime) -> list[datetime.datetime]:
        """Returns the minutes in [start, end) whose local date and time fit, in UTC.

        This is what schedulers do that know nothing of skipped and repeated hours.
        """
        found = self._search(f"0 {self.expression}", start - _MINUTE)
        return list(itertools.takewhile(lambda time: time < end, self._ordered(found, start - _TICK)))

    def between(self, start: datetime.datetime, end: datetime.datetime) -> list[datetime.datetime]:
        """Returns the scheduled times in [start, end), in UTC."""
        return list(itertools.takewhile(lambda time: time < end, self.after(start - _TICK)))

    def local(self, time: datetime.datetime) -> datetime.datetime:
        """Returns a time in the schedule's time zone."""
        return time.astimezone(self.zone)

    def last_until(self, time: datetime.datetime) -> datetime.datetime:
        """Returns the last scheduled time that is not after a time, in UTC."""
        for days in (2, 32, 400, 12 * 366):
            found = self.between(time - days * _ONE_DAY, time + _TICK)
            if found:
                return found[-1]
        return time

    def _search(self, expression: str, time: datetime.datetime) -> Iterator[datetime.datetime]:
        zone = UTC if self.timezone == "UTC" else self.zone
        return (found.astimezone(UTC) for found in cronsim.CronSim(expression, time.astimezone(zone)))

    @staticmethod
    def _ordered(found: Iterator[datetime.datetime], after: datetime.datetime) -> Iterator[datetime.datetime]:
        last = after
        for time in found:
            if time > last:
                yield time
                last = time


def due(
    times: CronTimes,
    handled: datetime.datetime,
    now: datetime.datetime,
    catch_up: CatchUp,
    deadline: datetime.timedelta | None,
) -> list[datetime.datetime]:
    """Returns the scheduled times to run now, oldest first; other passed ones are missed.

    Args:
        times: The schedule.
        handled: The last time that was run or missed; nothing up to it is due, even if the clock is moved back.
        now: The time now.
        catch_up: Which of several passed times to run. With NONE, a time is due for a minute.
        deadline: How late a time may start; None: at any time.
    """
    passed = times.between(handled + _TICK, now + _TICK)
    if catch_up is not CatchUp.ALL:
        passed = passed[-1:]
    if catch_up is CatchUp.NONE:
        deadline = min(_MINUTE, deadline or _MINUTE)
    return [time for time in passed if deadline is None or now - time <= deadline]


def parse_duration(text: str) -> datetime.timedelta:
    """Parses a duration: 90s, 30m, 6h or 2d.

    Raises:
        JobError: If it is none, or not above 0.
    """
    number, unit = text[:-1], _UNITS.get(text[-1:])
    if unit and number.isascii() and number.isdecimal() and 0 < int(number) < 10**6:
        return datetime.timedelta(**{unit: int(number)})
    expected = "a number above 0 and s, m, h or d, e.g. 90m or 6h"
    raise JobError("The duration is invalid.", where="--deadline", found=text, expected=expected)
