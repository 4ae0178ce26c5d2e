"""Records of runs, including killed ones, and the lock."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from pipeline.runs import record as history
from pipeline.runs.lock import RootLock
from trainer.errors import JobError

ROOT = Path(__file__).parents[3]

HOLD = """
import pathlib, sys
from pipeline.runs import lock, record as history
root = pathlib.Path(sys.argv[1])
with lock.RootLock(root):
    history.write(root, history.new_run(root, "held"))
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds a root."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_record_is_read_as_it_was_written(tmp_path):
    run = history.new_run(tmp_path, "small", "tagger", Path("job.yaml")).updated(
        state="pushed",
        components=[history.ComponentRecord(name="Trainer", state="done", seconds=1.5, records=7)],
        metrics={"overall": {"accuracy": 0.9, "loss": float("inf")}},
        verdict=history.Verdict(blessed=True, reasons=("accuracy 0.9 is at least 0.8",)),
        pushed=history.Pushed(version="12", path="serving/12"),
        details={"training": {"epochs": 2, "device": "CPU", "waste": 0.06}},
    )
    path = history.write(tmp_path, run)
    assert path == tmp_path / "logs" / run.run_id / "run.json"
    assert history.read_all(tmp_path) == [run]
    assert run.log == path.with_name("run.log")
    assert [file.name for file in path.parent.iterdir()] == ["run.json"]


def test_runs_are_read_in_the_order_they_started_and_changes_are_validated(tmp_path):
    assert history.read_all(tmp_path) == []
    runs = [history.new_run(tmp_path, f"run{number}") for number in range(5)]
    for run in reversed(runs):
        history.write(tmp_path, run)
    ids = [run.run_id for run in history.read_all(tmp_path)]
    assert ids == sorted({run.run_id for run in runs})
    with pytest.raises(ValueError, match="state"):
        history.new_run(tmp_path, "small").updated(state="great")


def test_a_reader_never_sees_half_a_record(tmp_path):
    run = history.new_run(tmp_path, "small")
    sizes = [run.updated(error="x" * size) for size in (0, 200_000)]
    path = history.write(tmp_path, sizes[0])
    stop = threading.Event()

    def keep_writing():
        while not stop.is_set():
            for version in sizes:
                history.write(tmp_path, version)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        seen = {len(json.loads(path.read_text())["error"]) for _ in range(300)}
    finally:
        stop.set()
        writer.join()
    assert seen <= {0, 200_000}


def test_a_missing_root_and_an_invalid_record_are_reported(tmp_path):
    with pytest.raises(JobError, match="The root does not exist"):
        history.read_all(tmp_path / "none")
    path = history.write(tmp_path, history.new_run(tmp_path, "small"))
    path.write_text("{")
    with pytest.raises(JobError, match="record is invalid") as caught:
        history.read_all(tmp_path)
    assert caught.value.where == str(path)


def test_a_killed_run_is_interrupted_and_releases_its_root(tmp_path, holder):
    assert [run.state for run in history.read_all(tmp_path)] == ["running"]
    with pytest.raises(JobError, match="Another run is already using") as caught, RootLock(tmp_path):
        pytest.fail("two runs hold the lock")
    assert (caught.value.found, caught.value.where) == (f"process {holder.pid}", str(tmp_path))
    holder.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, but still in the process table
    assert [run.state for run in history.read_all(tmp_path)] == ["interrupted"]
    holder.wait()
    assert [run.state for run in history.read_all(tmp_path)] == ["interrupted"]
    with RootLock(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
    with RootLock(tmp_path / "new" / "root"):
        pass


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, "running"), (-1, "running"), (1, "running"), (-9, "interrupted"), (None, "interrupted")]
)
def test_a_run_is_alive_if_its_process_started_when_the_record_says(tmp_path, seconds, state):
    run = history.new_run(tmp_path, "small")
    started = psutil.Process().create_time()
    assert float(run.process) == pytest.approx(started, abs=0.01)
    history.write(tmp_path, run.updated(process=None if seconds is None else str(started + seconds)))
    assert [run.state for run in history.read_all(tmp_path)] == [state]


EARLIER = [json.loads(line) for line in Path(__file__).with_name("earlier_runs.jsonl").read_text().splitlines()]
"""Records as the version before typed sections wrote them."""


@pytest.mark.parametrize("written", EARLIER, ids=lambda written: written["state"])
def test_records_of_an_earlier_version_are_read_and_lose_nothing(tmp_path, written):
    path = history.run_dir(tmp_path, written["run_id"]) / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(written))
    (run,) = history.read_all(tmp_path)
    ended = json.loads(json.dumps(written).replace('"running"', '"interrupted"'))
    assert json.loads(run.model_dump_json()) == {**ended, "root": str(tmp_path), "task": None}


def test_fields_of_a_later_version_are_kept_in_sections_and_ignored_elsewhere(tmp_path):
    run = history.new_run(tmp_path, "small")
    details = {"corpus": {"records": 4, "bytes": 10}, "serving_check": {"answers": 3}}
    written = {**run.model_dump(mode="json"), "host": "a", "details": details}
    history.write(tmp_path, run).write_text(json.dumps(written))
    (read,) = history.read_all(tmp_path)
    assert read.model_dump(mode="json")["details"] == details
    assert read.details.corpus.records == 4
