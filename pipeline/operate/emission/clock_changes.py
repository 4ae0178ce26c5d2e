"""The days that skip or repeat an hour, on which other schedulers would run a job at other times."""

from __future__ import annotations

import datetime
import itertools
from typing import NamedTuple

from pipeline.operate.cron_times import UTC, CronTimes

YEARS = 10
"""Years to look ahead."""
_ONE_DAY = datetime.timedelta(days=1)


class Change(NamedTuple):
    """The times around a change of a zone's offset from UTC, in UTC.

    Attributes:
        scheduled: The scheduled times.
        on_the_wall: The minutes whose local time fits, both of those that are repeated.
        first_on_the_wall: The same, but only the first of those that are repeated.
    """

    scheduled: list[datetime.datetime]
    on_the_wall: list[datetime.datetime]
    first_on_the_wall: list[datetime.datetime]


def changes(times: CronTimes, now: datetime.datetime) -> list[Change]:
    """Returns the changes of the next years."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight + number * _ONE_DAY for number in range(YEARS * 366)]
    found = []
    for start, end in itertools.pairwise(days):
        if start.astimezone(times.zone).utcoffset() != end.astimezone(times.zone).utcoffset():
            window = start - _ONE_DAY, end + _ONE_DAY
            plain = times.on_the_wall(*window)
            first = [time for time in plain if not times.local(time).fold]
            found.append(Change(times.between(*window), plain, first))
    return found
