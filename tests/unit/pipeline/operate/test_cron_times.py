"""Times of cron expressions on ordinary days and on those that skip or repeat an hour; which of them are due."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.operate.cron_times import CatchUp, CronTimes, due, parse_duration
from trainer.errors import JobError

UTC = timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def first(expression: str, after: str, count: int, zone: str = "Europe/Berlin") -> list[str]:
    """The first times after one of UTC, in the zone."""
    found = CronTimes(expression, zone).after(utc(after))
    return [f"{next(found).astimezone(ZoneInfo(zone)):%m-%d %H:%M %z}" for _ in range(count)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("15 2 * * *", ["03-27 02:15 +0100", "03-28 03:00 +0200", "03-29 02:15 +0200"]),
        ("0 3 * * *", ["03-27 03:00 +0100", "03-28 03:00 +0200", "03-29 03:00 +0200"]),
        ("0 12 * * SUN", ["03-28 12:00 +0200", "04-04 12:00 +0200", "04-11 12:00 +0200"]),
        ("0 12 * * 7", ["03-28 12:00 +0200", "04-04 12:00 +0200", "04-11 12:00 +0200"]),
        ("0 0 29 2 *", ["02-29 00:00 +0100"]),
        ("0 0 28 * 1", ["03-28 00:00 +0100", "03-29 00:00 +0200", "04-05 00:00 +0200"]),
    ],
)
def test_the_night_that_skips_an_hour(expression, expected):
    assert first(expression, "2027-03-26 22:00", len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("15 2 * * *", "2026-10-24 22:00", ["10-25 02:15 +0200", "10-26 02:15 +0100"]),
        ("*/30 2 * * *", "2026-10-24 22:00", ["10-25 02:00 +0200", "10-25 02:30 +0200", "10-25 02:00 +0100"]),
        ("30 * * * *", "2026-10-24 23:45", ["10-25 02:30 +0200", "10-25 02:30 +0100", "10-25 03:30 +0100"]),
        # Inside the repeated hour, the fixed time has passed.
        ("15 2 * * *", "2026-10-25 01:05", ["10-26 02:15 +0100"]),
        ("15 2 * * *", "2026-10-25 00:15", ["10-26 02:15 +0100"]),
        ("45 2 * * *", "2026-10-25 00:30", ["10-25 02:45 +0200", "10-26 02:45 +0100"]),
    ],
)
def test_the_night_that_repeats_an_hour(expression, after, expected):
    assert first(expression, after, len(expected)) == expected


VALUES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 28), "month": (1, 12), "weekday": (0, 6)}


@st.composite
def expressions(draw):
    """An expression of lists of numbers, and the numbers of each field, None for a star."""
    fields = []
    for low, high in VALUES.values():
        numbers = st.lists(st.integers(low, high), min_size=1, max_size=4, unique=True)
        fields.append(draw(st.none() | numbers if fields else numbers))
    return " ".join("*" if field is None else ",".join(map(str, field)) for field in fields), fields


@settings(max_examples=40)
@given(expressions(), st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_without_daylight_saving_each_minute_that_fits_is_a_time(expression, start):
    text, (minutes, hours, days, months, weekdays) = expression
    end = start + timedelta(days=3)

    def fits(time: datetime) -> bool:
        day = days is None or time.day in days
        weekday = weekdays is None or time.isoweekday() % 7 in weekdays
        on = day and weekday if days is None or weekdays is None else day or weekday
        return (
            on
            and time.minute in minutes
            and all(field is None or value in field for field, value in ((hours, time.hour), (months, time.month)))
        )

    first_minute = start.replace(second=0, microsecond=0)
    every = (first_minute + timedelta(minutes=number) for number in range(3 * 24 * 60 + 2))
    expected = [time for time in every if start <= time < end and fits(time)]
    times = CronTimes(text, "UTC")
    assert times.between(start, end) == expected
    assert times.on_the_wall(start, end) == expected


@settings(max_examples=40)
@given(
    st.sampled_from(["15 2 * * *", "*/20 * * * *", "10,50 1-3 * * *", "0 3 * * *", "*/7 2 * * *"]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 3 * 365 * 24 * 60),
    st.integers(1, 5 * 24 * 60),
)
def test_times_do_not_depend_on_where_the_search_starts(expression, zone, start, minutes):
    times = CronTimes(expression, zone)
    begin = utc("2026-01-01 00:00") + timedelta(minutes=start)
    end = begin + timedelta(minutes=minutes)
    whole = times.between(begin - timedelta(days=2), end)
    assert whole == sorted(set(whole))
    assert times.between(begin, end) == [time for time in whole if time >= begin]
    assert all(later not in times.between(begin, later) for later in whole)


def test_the_last_time_until_now():
    assert CronTimes("15 2 * * *", "Europe/Berlin").last_until(utc("2026-12-01 01:15")) == utc("2026-12-01 01:15")
    assert CronTimes("15 2 * * *", "Europe/Berlin").last_until(utc("2026-12-01 01:14")) == utc("2026-11-30 01:15")
    assert CronTimes("0 0 29 2 *", "UTC").last_until(utc("2026-12-01 01:14")) == utc("2024-02-29 00:00")


HANDLED, NOW = utc("2026-05-01 02:00"), utc("2026-05-04 06:00")
PASSED = [utc(f"2026-05-0{day} 02:00") for day in (2, 3, 4)]


@pytest.mark.parametrize(
    ("catch_up", "deadline", "now", "expected"),
    [
        (CatchUp.ALL, None, NOW, PASSED),
        (CatchUp.LAST, None, NOW, PASSED[-1:]),
        (CatchUp.NONE, None, NOW, []),
        (CatchUp.NONE, None, PASSED[-1] + timedelta(seconds=60), PASSED[-1:]),
        (CatchUp.NONE, None, PASSED[-1] + timedelta(seconds=61), []),
        (CatchUp.ALL, timedelta(hours=30), NOW, PASSED[1:]),
        (CatchUp.ALL, timedelta(hours=4), NOW, PASSED[2:]),
        (CatchUp.ALL, timedelta(hours=3), NOW, []),
        (CatchUp.LAST, timedelta(hours=3), NOW, []),
        (CatchUp.ALL, None, PASSED[0], PASSED[:1]),
        (CatchUp.ALL, None, PASSED[0] - timedelta(seconds=1), []),
        (CatchUp.ALL, None, HANDLED, []),
        (CatchUp.ALL, None, HANDLED - timedelta(days=9), []),  # The clock was moved back.
    ],
)
def test_times_that_are_due(catch_up, deadline, now, expected):
    assert due(CronTimes("0 2 * * *", "UTC"), HANDLED, now, catch_up, deadline) == expected


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("* * * *", "4 fields: * * * *"),
        ("0 * * * * *", "6 fields: 0 * * * * *"),
        ("@daily", "1 fields: @daily"),
        ("60 * * * *", "60 * * * *: Bad minute"),
        ("0 0 30 2 *", "0 0 30 2 *: Bad day-of-month"),
        ("0 0 * * 8", "0 0 * * 8: Bad day-of-week"),
    ],
)
def test_invalid_expressions(expression, found):
    with pytest.raises(JobError, match="The cron expression is invalid") as caught:
        CronTimes(expression, "UTC")
    assert caught.value.found == found


@pytest.mark.parametrize("zone", ["Europe/Bonn", "", "../etc/passwd", "/etc/localtime"])
def test_unknown_time_zones(zone):
    with pytest.raises(JobError, match="The time zone is unknown"):
        CronTimes("* * * * *", zone)


@given(st.integers(1, 10**6 - 1), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_durations(number, unit):
    assert parse_duration(f"{number}{unit[0]}").total_seconds() == number * unit[1]


@given(st.text(max_size=4))
def test_other_texts_are_no_durations(text):
    if not (text[:-1].isascii() and text[:-1].isdigit() and text[-1] in "smhd" and int(text[:-1])):
        with pytest.raises(JobError, match="The duration is invalid"):
            parse_duration(text)
