"""A run made of single steps, each a process of its own, beside a run of all components."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import YAML, Job, Ran

pytestmark = pytest.mark.slow

RESULTS = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "SequenceTransform", "LinearBaseline")
VARIABLE = re.compile(r"(^|\.)(seconds|tokens_per_second|input_wait)$|^(run_id|root|started|finished|pid|process)$")
"""Fields of a record that are times, ids, or measured from them."""


@pytest.fixture(scope="module")
def stepped(new_job: Callable[..., Job]) -> Job:
    return new_job("stepped", count=500)


def step(job: Job, only: str, *options: str, run_id: str = "one") -> subprocess.CompletedProcess[str]:
    return job.run("--run-id", run_id, "--only", only, *options)


def state(job: Job, component: str, run_id: str = "one") -> str:
    record = json.loads((job.root / "logs" / run_id / "run.json").read_text())
    return {row["name"]: row["state"] for row in record["components"]}[component]


def kill_while_running(job: Job, component: str, number: signal.Signals, reached: str) -> tuple[int, str]:
    """Ends a step by a signal after a line of its output; returns its exit code and what it printed to stderr."""
    with job.started("--run-id", "one", "--only", component) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if re.match(reached, line):
                break
        process.send_signal(number)
        _, err = process.communicate()
        return process.returncode, err


@pytest.fixture(scope="module")
def finished(stepped: Job) -> Job:
    """All steps, two at once where the graph allows it; the training is preempted, killed and retried."""
    early = step(stepped, "Trainer")
    assert (early.returncode, early.stdout) == (2, "")
    assert early.stderr.startswith("Trainer has no inputs in this run: SequenceTransform must end first.\n")
    assert step(stepped, "CorpusExampleGen").returncode == 0
    with (
        stepped.started("--run-id", "one", "--only", "SchemaGen") as schema,
        stepped.started("--run-id", "one", "--only", "StatisticsGen") as statistics,
    ):
        assert (schema.wait(), statistics.wait()) == (0, 0)
    for only in ("PreviousStatistics,ExampleValidator", "SequenceTransform"):
        assert step(stepped, only).returncode == 0
    with stepped.started("--run-id", "one", "--only", "LinearBaseline") as linear:
        code, err = kill_while_running(stepped, "Trainer", signal.SIGTERM, "Trainer: epoch 1/3")
        assert linear.wait() == 0
    assert (code, err) == (75, "Interrupted; run the same command again to resume.\n")
    assert state(stepped, "Trainer") == "interrupted"
    assert state(stepped, "LinearBaseline") == "done"
    assert kill_while_running(stepped, "Trainer", signal.SIGKILL, "Trainer: running")[0] == -signal.SIGKILL
    (shown,) = json.loads(stepped.seqloom("runs", stepped.root, "--json").stdout)
    assert shown["state"] == "interrupted"
    for only in ("Trainer", "Baseline", "Evaluator", "Pusher"):
        assert step(stepped, only).returncode == 0, only
    return stepped


@pytest.fixture(scope="module")
def reference(stepped: Job, ran: Callable[..., Ran], tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Ran]:
    """The same job, run as a whole in another root."""
    job = Job(tmp_path_factory.mktemp("whole"), stepped.code)
    for name in ("job.yaml", "data.csv"):
        shutil.copyfile(stepped.folder / name, job.folder / name)
    return job, ran(job)


def contents(root: Path, component: str) -> dict[str, bytes]:
    """The examples and other results of a component by path without the number of the execution."""
    files = [path for path in root.glob(f"artifacts/{component}/*/*/**/*") if path.is_file()]
    # TensorFlow writes paths of the root into the graph.
    files = [path for path in files if path.name not in ("saved_model.pb", "fingerprint.pb")]
    found = {re.sub(r"/[0-9]+/", "/", str(path.relative_to(root)), count=1): path.read_bytes() for path in files}
    assert found
    return found


def comparable(value: object, path: str = "") -> object:
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if not VARIABLE.search(f"{path}.{name}" if path else name)}
        return {name: comparable(each, f"{path}.{name}" if path else name) for name, each in kept.items()}
    if isinstance(value, list):
        return [comparable(each, path) for each in value]
    return value


def test_a_run_by_steps_has_the_results_of_a_whole_run(finished: Job, reference: tuple[Job, Ran]) -> None:
    job, whole = reference
    for component in RESULTS:
        assert contents(finished.root, component) == contents(job.root, component)
    record = json.loads((finished.root / "summary.json").read_text())
    assert record == json.loads((finished.root / "logs/one/run.json").read_text())
    details = (record["details"], whole.record["details"])
    assert details[0]["training"].pop("resumed_after_epoch") >= 1
    assert details[1]["training"].pop("resumed_after_epoch") == 0
    for one, root in zip(details, (finished.root, job.root), strict=True):
        assert one.pop("tensorboard").startswith(str(root))
    pushed = [one.pop("pushed")["version"] for one in (record, whole.record)]
    assert [finished.versions(), job.versions()] == [[pushed[0]], [pushed[1]]]
    for one in (record, whole.record):
        one.pop("config")
    assert comparable(record) == comparable(whole.record)
    digests = [
        json.loads(path.read_text())["digest"]
        for root in (finished.root, job.root)
        for path in root.glob("serving/*/assets.extra/seqloom.json")
    ]
    assert digests[0] == digests[1]
    assert finished.executions() == dict.fromkeys(whole.states, "COMPLETE")
    assert not (finished.root / "tmp").exists()


def test_each_step_has_a_log(finished: Job) -> None:
    logs = {path.name for path in finished.root.glob("logs/one/*.log")}
    assert {"CorpusExampleGen.log", "PreviousStatistics+ExampleValidator.log", "Pusher.log"} <= logs
    assert "run.log" not in logs


def test_a_step_that_has_ended_does_nothing_and_the_id_is_of_one_configuration(finished: Job) -> None:
    before = (finished.root / "metadata.sqlite").read_bytes()
    again = step(finished, "Trainer,Pusher")
    assert (again.returncode, again.stdout) == (0, "Trainer: already done\nPusher: already done\n")
    other = step(finished, "Pusher", "--set", "trainer.epochs=4")
    assert other.returncode == 2
    assert other.stderr.startswith("The run belongs to another configuration.\n")
    assert "found: other values of trainer\n" in other.stderr
    assert (finished.root / "metadata.sqlite").read_bytes() == before


def test_the_id_of_a_whole_run_cannot_be_continued(reference: tuple[Job, Ran]) -> None:
    job, whole = reference
    refused = step(job, "Pusher", run_id=whole.record["run_id"])
    assert refused.returncode == 2
    assert refused.stderr.startswith("The run was not made by steps.\n")


def test_a_plan_says_what_the_next_run_takes_from_the_cache(
    reference: tuple[Job, Ran], ran: Callable[..., Ran]
) -> None:
    job, _ = reference

    def planned(*options: object) -> dict[str, str]:
        shown = job.seqloom("plan", "job.yaml", "--root", job.root, "--json", *options)
        assert (shown.returncode, shown.stderr) == (0, "")
        return {one["name"]: one["cache"] for one in json.loads(shown.stdout)}

    changed = ("--set", "trainer.epochs=2")
    before = planned()
    assert {name for name, cache in before.items() if cache == "runs"} == {"PreviousStatistics", "Baseline", "Pusher"}
    later = planned(*changed)
    assert (later["SequenceTransform"], later["Trainer"]) == ("cached", "runs")
    assert (later["Evaluator"], later["Pusher"]) == ("depends on Trainer", "depends on Trainer")
    states = ran(job, *changed).states
    resolvers = {"PreviousStatistics", "Baseline"}
    assert {name for name, cache in later.items() if cache == "cached"} == {
        name for name, state in states.items() if state == "cached" and name not in resolvers
    }


def test_after_a_model_that_does_not_pass_its_gates_the_rest_is_skipped(new_job: Callable[..., Job]) -> None:
    strict = YAML.replace("loss: {max: 0.8", "loss: {max: 0.0001")
    job = new_job("strict", strict, 200)
    first = "CorpusExampleGen,StatisticsGen,SchemaGen,PreviousStatistics,ExampleValidator,SequenceTransform"
    judged = step(job, f"{first},LinearBaseline,Trainer,Baseline,Evaluator")
    assert judged.returncode == 3, judged.stderr
    assert "Not published" in judged.stdout
    (record,) = job.records()
    assert (record["state"], record["verdict"]["blessed"]) == ("not_blessed", False)
    rest = step(job, "Pusher")
    assert (rest.returncode, rest.stdout) == (0, "Pusher: skipped, the model did not pass its gates\n")
    assert job.versions() == []


def test_a_retry_reads_the_files_that_the_run_was_prepared_with(new_job: Callable[..., Job]) -> None:
    job = new_job("spans", YAML.replace("path: data.csv", "path: 'day-{SPAN}.csv'"), 200)
    (job.folder / "data.csv").rename(job.folder / "day-1.csv")
    assert step(job, "SchemaGen").returncode == 0
    shutil.copyfile(job.folder / "day-1.csv", job.folder / "day-2.csv")
    assert step(job, "CorpusExampleGen").returncode == 0
    assert step(job, "SchemaGen,CorpusExampleGen", run_id="two").returncode == 0
    with contextlib.closing(sqlite3.connect(job.root / "metadata.sqlite")) as database:
        condition = "name = 'span' and is_custom_property order by artifact_id"
        rows = [*database.execute(f"select int_value from ArtifactProperty where {condition}")]
    assert rows == [(1,), (2,)]


def test_another_run_is_refused_while_a_step_is_at_work(new_job: Callable[..., Job]) -> None:
    job = new_job("busy", count=200)
    with job.started("--run-id", "one", "--only", "CorpusExampleGen") as process:
        while not (job.root / "logs/one/run.json").exists():
            assert process.poll() is None
            time.sleep(0.01)
        for refused in (step(job, "SchemaGen", run_id="two"), job.run()):
            assert refused.returncode == 75
            assert "Another run is already using this root." in refused.stderr
            assert "found: the steps of run one" in refused.stderr
        assert process.wait() == 0
