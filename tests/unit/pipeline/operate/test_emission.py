"""Schedules for systemd, cron and Kubernetes: the same times as ours, or a refusal."""

import re
import shlex
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from pipeline.operate.cron_times import CronTimes
from pipeline.operate.emission.command import Emission
from pipeline.operate.emission.cron_job import cron_job
from pipeline.operate.emission.crontab import crontab
from pipeline.operate.emission.systemd import calendars, units
from trainer.errors import JobError

UTC = timezone.utc
NOW = datetime(2026, 7, 1, tzinfo=UTC)
DAYS = [datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2027, 3, 27, 20, tzinfo=UTC)]
"""The evenings before the nights that repeat and skip an hour in Berlin."""
SYSTEMD = shutil.which("systemd-analyze")
COUNT = 10


def ours(expression: str, start: datetime, zone: str = "Europe/Berlin") -> list[datetime]:
    found = CronTimes(expression, zone).after(start)
    return [next(found) for _ in range(COUNT)]


def systemds(events: list[str], start: datetime) -> list[datetime]:
    """The next times of calendar events, of the real systemd."""
    found = set()
    for event in events:
        command = ["systemd-analyze", "calendar", f"--iterations={COUNT}", f"--base-time={start:%F %T} UTC", event]
        done = subprocess.run(command, env={"TZ": "UTC", "LC_ALL": "C"}, capture_output=True, text=True, check=True)
        lines = re.findall(r"(?:Next elapse|Iter(?:\.|ation) #\d+): \w+ ([-\d]+ [:\d]+) UTC", done.stdout)
        found |= {datetime.fromisoformat(line).replace(tzinfo=UTC) for line in lines}
    return sorted(found)[:COUNT]


def by_the_wall(fields: str, start: datetime, zone: str = "Europe/Berlin") -> list[datetime]:
    """The next minutes whose local time fits: what cronie and Kubernetes do in a zone. Numbers and stars only."""
    wanted = [None if field == "*" else {*map(int, field.split(","))} for field in fields.split()]
    time, found = start.replace(second=0) + timedelta(minutes=1), []
    while len(found) < COUNT:
        local = time.astimezone(ZoneInfo(zone))
        values = (local.minute, local.hour, local.day, local.month, local.isoweekday() % 7)
        fits = [numbers is None or value in numbers for numbers, value in zip(wanted, values, strict=True)]
        either = wanted[2] is not None and wanted[4] is not None
        if all((fits[0], fits[1], fits[3])) and ((fits[2] or fits[4]) if either else (fits[2] and fits[4])):
            found.append(time)
        time += timedelta(minutes=1)
    return found


CONVERTED = [
    "15 2 * * *",
    "10 2,3 * * *",
    "0 3 * * *",
    "30 * * * *",
    "*/30 1-3 * * *",
    "0 */6 * * *",
    "5/20 4 * * *",
    "15 2 * * SUN",
    "15 2 * * 7",
    "0 2 */2 * 1-5",
    "0 2 28 * 1",
    "45 2 28,29 mar,oct *",
    "0 12 1-31 * 5",
    "0 0 1 */3 *",
]


@pytest.mark.skipif(SYSTEMD is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("start", DAYS, ids=["repeated", "skipped"])
@pytest.mark.parametrize("expression", CONVERTED)
def test_systemd_names_the_same_times(expression, start):
    regular, extra = calendars(CronTimes(expression, "Europe/Berlin"), NOW)
    assert systemds([*regular, *extra], start) == ours(expression, start)


def test_events_of_hours_that_change_are_listed_apart():
    regular, extra = calendars(CronTimes("15 2 * * *", "Europe/Berlin"), NOW)
    assert regular == ["*-*-* 02:15:00 Europe/Berlin"]
    assert (len(extra), extra[0]) == (10, "2027-03-28 01:00:00 UTC")
    assert calendars(CronTimes("15 3 * * 1", "Europe/Berlin"), NOW) == (["Mon *-*-* 03:15:00 Europe/Berlin"], [])
    assert calendars(CronTimes("15 2 * * *", "UTC"), NOW) == (["*-*-* 02:15:00 UTC"], [])
    both = ["*-*-13 04:00:00 UTC", "Fri *-*-* 04:00:00 UTC"]
    assert calendars(CronTimes("0 4 13 * 5", "UTC"), NOW) == (both, [])


@pytest.mark.parametrize("expression", ["0 3 L * *", "0 3 LW * *", "0 3 * * 5L", "0 3 * * 0L,7", "0 3 * * MON#2"])
def test_special_days_are_refused_in_one_sentence(expression):
    for write, target in ((units, "systemd"), (crontab, "cron"), (cron_job, "Kubernetes")):
        with pytest.raises(JobError) as caught:
            write(emission(expression))
        assert str(caught.value) == f"L and # in {expression} cannot be converted for {target}."


def test_too_many_repeated_times_are_refused_for_systemd():
    with pytest.raises(JobError) as caught:
        units(emission("*/5 * * * *"))
    assert str(caught.value) == (
        "systemd runs */5 * * * * only once in the hours that Europe/Berlin repeats; use --timezone UTC."
    )
    assert "OnCalendar=*-*-* *:00,05,10," in units(emission("*/5 * * * *", zone="UTC"))


@pytest.mark.parametrize("start", DAYS, ids=["repeated", "skipped"])
@pytest.mark.parametrize(
    "expression", ["0 3 * * *", "*/30 * * * *", "*/20 2 * * *", "0 12 28 * 1", "15 1 * * sun,7", "0 12 1-31 * 5"]
)
def test_cron_and_kubernetes_name_the_same_times(expression, start):
    expected = ours(expression, start)
    manifest = yaml.safe_load(cron_job(emission(expression)))
    assert manifest["spec"]["timeZone"] == "Europe/Berlin"
    assert by_the_wall(manifest["spec"]["schedule"], start) == expected
    *_, zone, line, end = crontab(emission(expression)).split("\n")
    assert (zone, end) == ("CRON_TZ=Europe/Berlin", "")
    assert by_the_wall(" ".join(line.split()[:5]), start) == expected


@pytest.mark.parametrize(("write", "name"), [(crontab, "cron"), (cron_job, "Kubernetes")])
def test_cron_and_kubernetes_refuse_times_that_they_leave_out_or_repeat(write, name):
    with pytest.raises(JobError) as caught:
        write(emission("15 2 * * *"))
    assert str(caught.value) == (
        f"{name} leaves out or repeats a time of 15 2 * * * on 2026-10-25 in Europe/Berlin; choose an hour that the"
        " clock does not change, or --timezone UTC."
    )
    assert by_the_wall("15 2 * * *", DAYS[0]) != ours("15 2 * * *", DAYS[0])
    with pytest.raises(JobError, match=f"{name} cannot restrict both day of the month and weekday as 0 3 "):
        write(emission("0 3 */2 * 1"))


def emission(
    expression: str, *, zone: str = "Europe/Berlin", arguments: tuple[str, ...] = ("schedule", "job.yaml"), **values
):
    defaults = {"catches_up": True, "deadline": None, "root": Path("/data/root"), "program": ("/opt/my env/seqloom",)}
    return Emission("small_job", CronTimes(expression, zone), arguments=arguments, now=NOW, **{**defaults, **values})


STRANGE = ("schedule", "/a b/100%.yaml", "--set", 'corpus.text="$x\\y"')


def test_the_units_run_the_command():
    text = units(emission("0 3 * * *", arguments=STRANGE))
    assert text.startswith("# /etc/systemd/system/seqloom-small_job.timer\n[Unit]\n")
    assert "\nPersistent=true\n" in text
    assert "\nType=oneshot\n" in text
    assert "\nOnCalendar=*-*-* 03:00:00 Europe/Berlin\nAccuracySec=1s\n" in text
    assert 'ExecStart="/opt/my env/seqloom" "schedule" "/a b/100%%.yaml" "--set" "corpus.text=\\"$$x\\\\y\\""\n' in text
    assert "Persistent=false" in units(emission("0 3 * * *", catches_up=False))


@pytest.mark.skipif(SYSTEMD is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_units(tmp_path):
    text = units(emission("15 2 * * *", arguments=STRANGE, program=("/bin/true",)))
    for path, unit in re.findall(r"^# (\S+)\n((?:(?!# /).*\n)*)", text, re.MULTILINE):
        (tmp_path / Path(path).name).write_text(unit)
    assert len(list(tmp_path.iterdir())) == 2
    command = ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "seqloom" in line] == []


def test_the_crontab_line_runs_the_command():
    line = crontab(emission("0 3 * * *", arguments=STRANGE)).splitlines()[-1]
    assert line.startswith("0 3 * * * ")
    assert "100\\%.yaml" in line
    # cron hands the line to a shell after it has taken the backslashes before %.
    assert shlex.split(line.replace("\\%", "%"))[5:] == ["/opt/my env/seqloom", *STRANGE]


def test_the_cron_job_runs_the_command_once_at_a_time_on_the_root():
    manifest = yaml.safe_load(cron_job(emission("0 3 * * *", arguments=STRANGE, deadline=timedelta(hours=6))))
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", manifest["metadata"]["name"])
    spec = manifest["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 3 * * *", "Europe/Berlin", "Forbid")
    assert spec["startingDeadlineSeconds"] == 6 * 3600
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] == ["seqloom", *STRANGE]
    assert container["volumeMounts"] == [{"name": "root", "mountPath": "/data/root"}]
    assert [volume["name"] for volume in pod["volumes"]] == ["root"]
    assert pod["restartPolicy"] == "Never"
