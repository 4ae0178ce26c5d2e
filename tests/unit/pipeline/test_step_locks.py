"""The locks and the record of a run whose steps are several processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.runners.steps import step_record
from pipeline.runners.steps.step_locks import StepLock, component_locks
from pipeline.runs import record as history
from pipeline.runs.lock import RootLock
from pipeline.runs.record import ComponentRecord, RunRecord
from pipeline.runs.state import ComponentState, RunState
from trainer.errors import TransientError

ROOT = Path(__file__).parents[3]
HOLD = """
import pathlib, sys
from pipeline.runners.steps.step_locks import StepLock, component_locks
root = pathlib.Path(sys.argv[1])
with StepLock(root, sys.argv[2]) as lock:
    (root / "logs" / sys.argv[2]).mkdir(parents=True, exist_ok=True)
    print(lock.alone, flush=True)
    sys.stdin.readline()
    lock.share()
    with component_locks(root, sys.argv[2], ("Trainer",)):
        print("shared", flush=True)
        sys.stdin.read()
"""
WRITE = """
import pathlib, sys
from pipeline.events.recorder import Recorder
from pipeline.runners.steps import step_record
from pipeline.runs.record import ComponentRecord
root, name = pathlib.Path(sys.argv[1]), sys.argv[2]
for number in range(100):
    row = ComponentRecord(name=name, state="running" if number < 99 else "done", records=number)
    save = Recorder(root, lambda events, record: None).save
    step_record.update(root, "one", lambda stored: step_record.merged(stored, [row]), save)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes on a root and kills them at the end."""
    started = []

    def process(code: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, str(tmp_path), *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=ROOT, **pipes))
        return started[-1]

    yield process
    for one in started:
        one.kill()
        one.communicate()


def proceed(process: subprocess.Popen[str]) -> str:
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def new_run(root: Path, *names: str) -> RunRecord:
    rows = tuple(ComponentRecord(name=name) for name in names)
    record = history.new_run(root, "small").updated(run_id="one", components=rows, state=RunState.WAITING)
    history.write(root, record)
    return record


def test_steps_of_one_run_share_a_root_after_the_first_has_prepared_it(tmp_path: Path, start) -> None:
    first = start(HOLD, "one")
    assert first.stdout.readline() == "True\n"
    second = start(HOLD, "one")
    assert proceed(first) == "shared\n"
    assert second.stdout.readline() == "False\n"
    for lock in (StepLock(tmp_path, "two"), RootLock(tmp_path)):
        # The first step to come waits for the second to enter.
        if isinstance(lock, StepLock):
            second.kill()
            second.wait()
        with pytest.raises(TransientError, match="Another run is already using this root") as caught, lock:
            pytest.fail("two runs hold the root")
        assert caught.value.found == "the steps of run one"
    with StepLock(tmp_path, "one") as lock:
        assert not lock.alone
        lock.share()
        with (
            pytest.raises(TransientError, match="Trainer is already running"),
            component_locks(tmp_path, "one", ("Trainer",)),
        ):
            pytest.fail("two processes run one component")
        with component_locks(tmp_path, "one", ("Pusher",)):
            pass
    first.kill()
    first.wait()
    with StepLock(tmp_path, "two") as lock:
        assert lock.alone
        lock.share()


def test_a_step_is_refused_while_a_whole_run_holds_the_root(tmp_path: Path) -> None:
    with RootLock(tmp_path), pytest.raises(TransientError, match="Another run"), StepLock(tmp_path, "one"):
        pytest.fail("a step runs beside a whole run")
    with StepLock(tmp_path, "one") as lock:
        assert lock.alone


def test_no_process_loses_the_state_that_another_has_written(tmp_path: Path, start) -> None:
    names = ("One", "Two", "Three")
    new_run(tmp_path, *names, "Four")
    for process in [start(WRITE, name) for name in names]:
        assert process.wait() == 0
    record = history.read(tmp_path, "one")
    assert record is not None
    assert [(row.state.value, row.records) for row in record.components] == [*[("done", 99)] * 3, ("waiting", None)]
    assert (record.state, step_record.is_complete(record)) == (RunState.WAITING, False)
    events = [json.loads(line) for line in (tmp_path / "logs/one/events.jsonl").read_text().splitlines()]
    found = sorted((event["component"], event["event"]) for event in events)
    assert found == sorted((name, f"component_{what}") for name in names for what in ("started", "done"))


def row(state: str) -> ComponentRecord:
    return ComponentRecord(name="One", state=ComponentState[state])


def test_the_state_of_the_run_follows_from_its_components(tmp_path: Path) -> None:
    stored = new_run(tmp_path, "One", "Two")
    for state, expected in (
        ("RUNNING", "running"),
        ("FAILED", "failed"),
        ("INTERRUPTED", "interrupted"),
        ("DONE", "waiting"),
        ("SKIPPED", "waiting"),
    ):
        assert step_record.merged(stored, [row(state)]).state.value == expected
    failed = step_record.merged(stored, [row("FAILED")]).updated(error="bad data")
    assert step_record.merged(failed, []).error == "bad data"
    retried = step_record.merged(failed, [row("RUNNING")])
    assert (retried.error, retried.components[0].worker) == (None, history.this_worker())
    assert step_record.merged(retried, [row("DONE")]).components[0].worker is None


@pytest.mark.parametrize(
    ("worker", "state"), [("alive", "running"), ("dead", "interrupted"), ("elsewhere 1 2.00", "running")]
)
def test_a_step_runs_as_long_as_its_process(tmp_path: Path, worker: str, state: str) -> None:
    stored = new_run(tmp_path, "One", "Two")
    host, pid, _ = history.this_worker().split()
    start = psutil.Process().create_time()
    workers = {"alive": f"{host} {pid} {start:.2f}", "dead": f"{host} {pid} {start - 99:.2f}"}
    running = row("RUNNING").model_copy(update={"worker": workers.get(worker, worker)})
    history.write(tmp_path, stored.updated(components=(running, stored.components[1]), state="running"))
    (record,) = history.read_all(tmp_path)
    assert (record.state.value, record.components[0].state.value) == (state, state)
    assert json.loads(record.text)["components"][1]["state"] == "waiting"
