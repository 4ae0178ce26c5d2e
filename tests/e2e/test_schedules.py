"""Schedulers and backfills as processes: killed, stopped, restarted, two at once; spans that change."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone

import pytest

pytestmark = pytest.mark.slow

YAML = """\
name: daily
task: dataset
corpus: {format: text, path: "day-{YYYY}{MM}{DD}.txt"}
transform: {min_count: 1}
"""
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Daily:
    """A job with a file a day, and what has been run at its root."""

    def __init__(self, job):
        self.job, self.root = job, job.root

    def write(self, day, seed=0):
        lines = [f"w{(number * 7 + seed) % 31} w{number % 13} w{number % 5}\n" for number in range(120)]
        (self.job.folder / f"day-{day:%Y%m%d}.txt").write_text("".join(lines))

    def state(self):
        return json.loads((self.root / "operate" / "state.json").read_text())

    def spans(self):
        return {
            (EPOCH + timedelta(days=int(key))).date().isoformat(): value for key, value in self.state()["spans"].items()
        }

    def runs(self):
        """The states of all runs, by their records."""
        return [record["state"] for record in self.job.records()]

    def examples(self):
        """The spans of all complete examples in ML Metadata, with those from the cache left out."""
        query = """
            select property.int_value from ArtifactProperty property join Artifact artifact on artifact.id = artifact_id
            where property.name = 'span' and artifact.state = 2
            and artifact.type_id = (select id from Type where name = 'Examples')
            and artifact.uri like '%CorpusExampleGen%' order by artifact.id
        """
        with closing(sqlite3.connect(self.root / "metadata.sqlite")) as database:
            return [(EPOCH + timedelta(days=span)).date().isoformat() for (span,) in database.execute(query)]

    @contextmanager
    def started(self, *arguments):
        """Starts a command in a process of its own; kills it at the end of the block."""
        process = self.job._process([*arguments])
        with subprocess.Popen(**process, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
            try:
                yield started
            finally:
                started.kill()

    def wait_for_run(self, process, count):
        """Waits until a run of a process is the `count`th and has started its first component."""
        while True:
            assert process.poll() is None, process.stderr.read()
            records = self.job.records()
            if (
                len(records) == count
                and records[-1]["components"]
                and records[-1]["components"][0]["state"] != "waiting"
            ):
                return records[-1]["pid"]
            time.sleep(0.01)


@pytest.fixture
def daily(new_job):
    job = new_job("daily", yaml=YAML, count=1)
    (job.folder / "data.csv").unlink()
    return Daily(job)


@pytest.fixture
def scheduled(daily):
    """A job with three daily files and a schedule of which the last two days are due; the next time is in hours."""
    now = datetime.now(timezone.utc)
    last = (now - 2 * HOUR).replace(second=0, microsecond=0)
    for back in (0, 1, 2):
        daily.write(last - timedelta(days=back), back)
    cron = f"{last:%M} {last:%H} * * *"
    cron = " ".join(str(int(part)) if part.isdigit() else part for part in cron.split())
    daily.command = ("schedule", "job.yaml", "--root", daily.root, "--cron", cron)
    daily.last = last
    state = {"schedule": f"{cron} UTC", "handled": (last - timedelta(days=2)).isoformat()}
    (daily.root / "operate").mkdir(parents=True)
    (daily.root / "operate" / "state.json").write_text(json.dumps(state))
    return daily


def handled(daily):
    return datetime.fromisoformat(daily.state()["handled"].replace("Z", "+00:00"))


def test_a_killed_scheduler_runs_no_span_twice_and_misses_none(scheduled):
    yesterday, today = ((scheduled.last - timedelta(days=back)).date().isoformat() for back in (1, 0))
    with scheduled.started(*scheduled.command) as first:
        orphan = scheduled.wait_for_run(first, 1)
        second = scheduled.job.fresh(*scheduled.command)
        assert (second.returncode, second.stdout) == (1, "")
        expected = f"Another scheduler (process {first.pid}) is already using the root {scheduled.root}.\n"
        assert second.stderr == expected
        first.send_signal(signal.SIGKILL)
        first.wait()
        os.kill(orphan, 0)
        with scheduled.started(*scheduled.command) as restarted:
            lines = []
            for line in restarted.stdout:
                lines.append(line.strip())
                if line.startswith("Next run: "):
                    break
            restarted.send_signal(signal.SIGTERM)
            restarted.wait()
    assert restarted.returncode == 0
    assert lines[0] == "Waiting for the run in progress at this root."
    assert scheduled.runs() == ["transformed", "transformed"]
    assert scheduled.examples() == [yesterday, today]
    assert {name: span["state"] for name, span in scheduled.spans().items()} == {yesterday: "done", today: "done"}
    assert handled(scheduled) == scheduled.last


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_scheduler_waits_for_its_run_which_is_due_again(scheduled, number):
    with scheduled.started(*scheduled.command, "--catch-up", "last") as process:
        scheduled.wait_for_run(process, 1)
        process.send_signal(number)
        out, err = process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in out + err
    assert scheduled.runs() == ["interrupted"]
    assert (scheduled.state()["work"], scheduled.spans()) == (None, {})
    done = scheduled.job.fresh(*scheduled.command, "--catch-up", "last", "--once")
    assert done.returncode == 0, done.stderr
    assert scheduled.runs() == ["interrupted", "transformed"]
    assert scheduled.examples() == [scheduled.last.date().isoformat()]


@pytest.fixture
def january(daily):
    for number in (1, 2, 3):
        daily.write(datetime(2026, 1, number), number)
    daily.command = ("backfill", "job.yaml", "--root", daily.root, "--from", "2026-01-01", "--to", "2026-01-04")
    return daily


def table(text):
    """The states of the spans in a printed table."""
    rows = [line.split() for line in text.splitlines() if line.strip().startswith("2026-01-")]
    return {row[0]: row[1] for row in rows}


def test_a_killed_backfill_resumes_and_a_changed_file_is_stale(january):
    shown = january.job.fresh(*january.command, "--dry-run")
    names = [f"2026-01-0{number}" for number in (1, 2, 3, 4)]
    assert shown.returncode == 0, shown.stderr
    assert table(shown.stdout) == dict(zip(names, ["waiting", "waiting", "waiting", "no"], strict=True))
    assert not january.root.exists()
    with january.started(*january.command) as process:
        run = january.wait_for_run(process, 2)
        process.kill()
        process.wait()
        os.kill(run, signal.SIGKILL)
    resumed = january.job.fresh(*january.command)
    assert resumed.returncode == 0, resumed.stderr
    assert "2 of 4 spans are due." in resumed.stdout
    assert table(resumed.stdout) == dict(zip(names, ["done", "done", "done", "no"], strict=True))
    assert january.runs() == ["transformed", "running", "transformed", "transformed"]
    assert january.examples() == names[:3]

    january.write(datetime(2026, 1, 2), seed=9)
    (january.job.folder / "day-20260103.txt").write_bytes(b"\xff\n" * 100)
    assert table(january.job.fresh(*january.command, "--dry-run").stdout)["2026-01-02"] == "stale"
    missing = january.job.fresh(*january.command, "--only", "missing")
    assert "0 of 4 spans are due." in missing.stdout
    stale = january.job.fresh(*january.command, "--only", "stale")
    assert stale.returncode == 1
    assert table(stale.stdout) == dict(zip(names, ["done", "done", "failed", "no"], strict=True))
    assert january.examples() == [*names[:3], names[1]]
    january.write(datetime(2026, 1, 3), seed=3)
    assert january.job.fresh(*january.command, "--only", "failed").returncode == 0
