"""The scheduler with a clock of its own; its runs are real processes that note what they were asked."""

import datetime as dt
import fcntl
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.operate import ledger as ledgers
from pipeline.operate.corpus_spans import CorpusSpans
from pipeline.operate.cron_times import CatchUp, CronTimes
from pipeline.operate.ledger import SpanState
from pipeline.operate.scheduler import SchedulePlan, Scheduler
from pipeline.operate.span_run import SpanRunner

START = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
NOTE = """
import json, os, pathlib, signal, sys
notes = pathlib.Path({notes!r})
with notes.open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
codes = {codes!r}
count = len(notes.read_text().splitlines())
code = codes[min(count, len(codes)) - 1]
if code == "wait":
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    print("waiting", flush=True)
    signal.pause()
sys.exit(code)
"""


class Clock:
    """A clock that only waiting moves, until the user asks to stop."""

    def __init__(self, now: datetime, until: datetime) -> None:
        self._now, self.until, self.stops = now, until, 0

    def now(self) -> datetime:
        return self._now

    def wait(self, seconds: float) -> None:
        self.set(self._now + timedelta(seconds=seconds))

    def wait_for(self, process: subprocess.Popen[bytes], stops: int) -> None:
        process.wait()

    def set(self, now: datetime) -> None:
        self._now = now
        self.stops = int(now >= self.until)


class Operated:
    """A root, a job whose spans are files, and schedulers that run there."""

    def __init__(self, folder: Path, load) -> None:
        self.folder, self.root, self.notes = folder, folder / "root", folder / "notes"
        self.said: list[str] = []
        self._load = load

    def spans(self, *days: str, rolling: str = "") -> CorpusSpans:
        for day in days:
            (self.folder / f"{day}.txt").write_text("text\n")
        corpus = f'{{format: text, path: "{{YYYY}}-{{MM}}-{{DD}}.txt"{rolling}}}'
        return CorpusSpans(self._load(f"name: a\ntask: dataset\ncorpus: {corpus}\n"))

    def runner(self, clock, codes=(0,)) -> SpanRunner:
        command = (sys.executable, "-c", NOTE.format(notes=str(self.notes), codes=[*codes]))
        return SpanRunner(self.root, self.folder / "job.yaml", ["name=b"], clock, self.said.append, command)

    def run(self, start, end, *, codes=(0,), once=False, clock=None, cron="0 2 * * *", **plan) -> list[int]:
        """Runs a scheduler from one time to another; returns the exit codes of its runs."""
        clock = clock or Clock(start, end)
        plan = {"catch_up": CatchUp.ALL, **plan}
        return Scheduler(SchedulePlan(CronTimes(cron, "Europe/Berlin"), **plan), self.runner(clock, codes)).run(
            once=once
        )

    def ran(self) -> list[str]:
        """The spans of all runs, "" for a run without one."""
        notes = [json.loads(line) for line in self.notes.read_text().splitlines()] if self.notes.exists() else []
        numbers = [
            [part.removeprefix("corpus.span=") for part in note if part.startswith("corpus.span")] for note in notes
        ]
        epoch = dt.date(1970, 1, 1)
        return [str(epoch + timedelta(days=int(found[0]))) if found else "" for found in numbers]


@pytest.fixture
def operated(tmp_path, load):
    return Operated(tmp_path, load)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def test_each_time_runs_its_own_span_though_newer_ones_exist(operated):
    spans = operated.spans("2026-05-01", "2026-05-02", "2026-05-03", "2026-06-30")
    assert operated.run(day(0), day(2), spans=spans) == [0, 0]
    assert operated.ran() == ["2026-05-02", "2026-05-03"]
    note = json.loads(operated.notes.read_text().splitlines()[0])
    job = str(operated.folder / "job.yaml")
    assert note == ["run", job, "--root", str(operated.root), "--set", "name=b", "--set", "corpus.span=20575"]
    assert operated.said[0] == "Next run: 2026-05-02 02:00 CEST"
    assert "2026-05-02 02:00 CEST: span 2026-05-02 ended with exit code 0." in operated.said


def test_the_span_is_that_of_the_date_in_the_time_zone_of_the_schedule(operated):
    spans = operated.spans("2026-05-02")
    operated.run(day(0), day(1), spans=spans, cron="30 0 * * *")  # 22:30 of the day before in UTC.
    operated.run(day(10), day(11), spans=spans, cron="31 0 * * *", days_back=1)
    assert operated.ran() == ["2026-05-02", "2026-05-11"]


def test_a_corpus_without_spans_runs_at_each_time(operated):
    assert operated.run(day(0), day(3), codes=(0, 1, 3)) == [0, 1, 3]
    assert operated.ran() == ["", "", ""]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"catch_up": CatchUp.ALL}, ["2026-05-02", "2026-05-03", "2026-05-04", "2026-05-05"]),
        ({"catch_up": CatchUp.LAST}, ["2026-05-02", "2026-05-05"]),
        ({"catch_up": CatchUp.NONE}, ["2026-05-02"]),
        ({"catch_up": CatchUp.ALL, "deadline": timedelta(hours=40)}, ["2026-05-02", "2026-05-04", "2026-05-05"]),
    ],
)
def test_a_restart_catches_up(operated, plan, expected):
    spans = operated.spans("2026-05-02")
    operated.run(day(0), day(1), spans=spans, **plan)
    operated.run(day(4), day(4.01), spans=spans, **plan)
    operated.run(day(4.02), day(4.03), spans=spans, **plan)
    assert operated.ran() == expected


def test_a_clock_that_is_moved_back_runs_no_time_twice(operated):
    operated.run(day(0), day(2))
    assert len(operated.ran()) == 2
    operated.said.clear()
    operated.run(day(0), day(3))
    assert len(operated.ran()) == 3
    assert operated.said[0] == "Next run: 2026-05-04 02:00 CEST"


def test_both_changes_of_the_clock_run_one_span_each(operated):
    spans = operated.spans("2026-10-25")
    autumn = datetime(2026, 10, 24, 12, tzinfo=timezone.utc)
    operated.run(autumn, autumn + timedelta(days=2), spans=spans, cron="15 2 * * *")
    spring = datetime(2027, 3, 27, 12, tzinfo=timezone.utc)
    operated.run(spring, spring + timedelta(days=2), spans=spans, cron="15  2 * * *", catch_up=CatchUp.LAST)
    assert operated.ran() == ["2026-10-25", "2026-10-26", "2027-03-27", "2027-03-28", "2027-03-29"]


def test_passing_faults_are_retried_with_growing_pauses_and_others_never(operated):
    clock = Clock(day(0), day(0.9))
    assert operated.run(day(0), day(0.9), clock=clock, codes=(75, 75, 0)) == [0]
    assert operated.said[2:4] == [
        "A passing fault: attempt 2 of 6 in 60 s.",
        "A passing fault: attempt 3 of 6 in 120 s.",
    ]
    assert len(operated.ran()) == 3
    assert operated.run(day(1), day(1.9), codes=(1,)) == [1]
    assert len(operated.ran()) == 4
    assert operated.run(day(2), day(2.9), codes=(75,)) == [75]
    assert len(operated.ran()) == 10


def test_a_stop_in_a_pause_leaves_the_time_due(operated):
    two = datetime(2026, 5, 2, tzinfo=timezone.utc)
    assert operated.run(day(0), two + timedelta(seconds=30), codes=(75,)) == []
    assert ledgers.read(operated.root).handled == day(0)
    assert operated.run(two + timedelta(hours=1), two + timedelta(hours=2)) == [0]
    assert len(operated.ran()) == 2


def test_new_spans_run_once_in_order(operated):
    spans = operated.spans("2026-04-01", "2026-05-01")
    plan = {"spans": spans, "new_spans": True, "catch_up": CatchUp.LAST}
    operated.run(day(0), day(2), **plan)
    assert operated.ran() == ["2026-05-01"]
    assert "2026-05-03 02:00 CEST: no new span." in operated.said
    operated.spans("2026-05-02", "2026-05-03", "2026-04-02")
    assert operated.run(day(2), day(4), codes=(1, 1, 3), **plan) == [1, 3]
    assert operated.ran() == ["2026-05-01", "2026-05-02", "2026-05-03"]
    states = [record.state for record in ledgers.read(operated.root).spans.values()]
    assert states == [SpanState.DONE, SpanState.FAILED, SpanState.REFUSED]


def test_once_runs_what_is_due_and_ends(operated):
    spans = operated.spans("2026-05-01")
    assert operated.run(day(0), day(9), spans=spans, once=True) == [0]
    assert operated.ran() == ["2026-05-01"]
    assert operated.run(day(0.1), day(9), spans=spans, once=True) == []
    assert operated.run(day(2), day(9), spans=spans, once=True) == [0, 0]
    assert operated.ran() == ["2026-05-01", "2026-05-02", "2026-05-03"]


def test_a_stop_interrupts_the_run_once_and_leaves_its_time_due(operated):
    class Impatient(Clock):
        def wait_for(self, process, stops):
            if not stops:
                while not operated.notes.exists() or not operated.notes.read_text():
                    os.sched_yield()
                self.stops = 1
            else:
                process.wait()

    assert operated.run(day(0), day(9), clock=Impatient(day(0), day(9)), codes=("wait",)) == []
    ledger = ledgers.read(operated.root)
    assert (ledger.work, ledger.handled) == (None, day(0))


def test_a_restart_waits_for_the_run_of_a_killed_scheduler_and_takes_its_recorded_outcome(operated):
    operated.run(day(0), day(1))
    held = os.open(operated.root / "operate" / "run.lock", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], pass_fds=[held], start_new_session=True
    )
    os.close(held)
    begun = day(1.9)
    work = ledgers.Work(time=day(1) - timedelta(hours=12) + timedelta(days=1), begun=begun, pid=orphan.pid)
    ledgers.write(operated.root, ledgers.read(operated.root).begun(work))
    log = operated.root / "logs" / "one"
    log.mkdir(parents=True)
    record = {"run_id": "one", "name": "a", "root": "", "started": begun.isoformat(), "pid": orphan.pid}
    (log / "run.json").write_text(json.dumps({**record, "state": "not_blessed"}))

    class Waiting(Clock):
        def wait(self, seconds):
            if seconds == 1.0 and orphan.poll() is None:
                assert len(operated.ran()) == 1
                orphan.send_signal(signal.SIGKILL)
                orphan.wait()
            super().wait(seconds)

    operated.run(day(2), day(2.1), clock=Waiting(day(2), day(2.1)))
    assert "Waiting for the run in progress at this root." in operated.said
    assert ledgers.read(operated.root).work is None
    assert len(operated.ran()) == 1
