"""What `seqloom gc` deletes of real runs is computed again by those that need it, and nothing else is."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.collection import collecting
from pipeline.collection.liveness import Policy
from tests.e2e.conftest import YAML, Job, Ran

pytestmark = pytest.mark.slow

DATASET = "name: d\ntask: dataset\ncorpus: {format: csv, path: 'day-{SPAN}.csv', text: body, label: stars, id: key}\n"
RESULTS = ("CorpusExampleGen", "StatisticsGen", "ExampleValidator", "SequenceTransform")


def contents(root: Path, component: str, execution: str) -> dict[str, bytes]:
    """The results of an execution by path; TensorFlow writes paths of the root into the graph."""
    files = [path for path in root.glob(f"artifacts/{component}/[!.]*/{execution}/**/*") if path.is_file()]
    files = [path for path in files if path.name not in ("saved_model.pb", "fingerprint.pb")]
    found = {re.sub(r"/[0-9]+/", "/", str(path.relative_to(root)), count=1): path.read_bytes() for path in files}
    assert found
    return found


def executions(root: Path, component: str) -> list[str]:
    names = {path.name for path in root.glob(f"artifacts/{component}/[!.]*/*")}
    return sorted(names, key=int)


def gc(job: Job, *options: object) -> dict:
    done = job.seqloom("gc", job.root, "--json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_deleted_results_are_computed_again_with_the_same_bytes(
    new_job: Callable[..., Job], ran: Callable[..., Ran]
) -> None:
    job = new_job("collected", DATASET, 120)
    lines = (job.folder / "data.csv").read_text().splitlines(keepends=True)
    for day in (1, 2, 3):
        (job.folder / f"day-{day}.csv").write_text("".join([lines[0], *lines[day::3]]))

    def day(number: int) -> dict[str, str]:
        return ran(job, "--set", f"corpus.span={number}").states

    for number in (1, 2, 3):
        day(number)
    first = {component: executions(job.root, component)[0] for component in RESULTS}
    before = {component: contents(job.root, component, number) for component, number in first.items()}
    shown = gc(job, "--keep-runs", 1)
    assert not shown["deleted"]
    assert {component: executions(job.root, component)[0] for component in RESULTS} == first
    deleted = gc(job, "--keep-runs", 1, "--delete")
    assert deleted["items"] == shown["items"]
    assert [len(executions(job.root, component)) for component in RESULTS] == [1, 2, 2, 1]
    assert [record["run_id"] for record in job.records()] == [sorted(p.name for p in job.root.glob("logs/*"))[-1]]
    assert gc(job, "--keep-runs", 1) == {"deleted": False, "bytes": 0, "items": []}
    # A resolver looks up earlier results every time.
    assert {name for name, state in day(3).items() if state != "cached"} == {"PreviousStatistics"}
    again = day(1)
    assert {name for name, state in again.items() if state == "done"} == {*RESULTS, "PreviousStatistics"}
    # The validator's result differs, since the first day had no statistics before it to be compared with.
    del before["ExampleValidator"]
    for component, found in before.items():
        assert contents(job.root, component, executions(job.root, component)[-1]) == found
    # A process that dies after the marks and some of the files leaves nothing that a run takes for complete.
    items = collecting.collect(job.root, Policy(1))
    collecting.delete(job.root, [item._replace(path="logs/none") for item in items])
    for item in items:
        if item.kind == "artifact" and "SequenceTransform" in item.path:
            next(path for path in (job.root / item.path).rglob("*") if path.is_file()).unlink()
    assert {name for name, state in day(3).items() if state == "done"} == {*RESULTS, "PreviousStatistics"}
    gc(job, "--keep-runs", 1, "--delete")
    assert gc(job, "--keep-runs", 1)["items"] == []


def test_models_that_are_served_or_compared_with_are_kept(
    new_job: Callable[..., Job], ran: Callable[..., Ran], ask: Callable[..., list[dict]]
) -> None:
    yaml = YAML[: YAML.index("gates:")] + "gates: {accuracy: {min: 0, max_drop: 1}}\nserving: {keep: 2}\n"
    job = new_job("collected-models", yaml, 200)
    digests = []
    for units in (4, 6, 8):
        done = ran(job, "--set", f"trainer.units={units}", "--set", "trainer.ngrams=null")
        assert done.record["state"] == "pushed", done.process.stderr
        digests.append(json.loads((job.root / "serving" / done.versions[-1] / "assets.extra/seqloom.json").read_text()))
    assert len(job.versions()) == 2
    gc(job, "--keep-runs", 1, "--delete")
    assert [len(executions(job.root, name)) for name in ("Trainer", "Evaluator", "CorpusExampleGen")] == [2, 2, 1]
    # The first run's record is gone with its version, the second's stays with it.
    assert len(job.records()) == 2
    for version in job.versions():
        assert len(ask(job, job.root / "serving" / version, "warm and witty")) == 1
    fourth = ran(job, "--set", "trainer.units=4", "--set", "trainer.ngrams=null")
    assert fourth.states["SequenceTransform"] == "cached"
    assert (fourth.states["Trainer"], fourth.states["Evaluator"]) == ("done", "done")
    assert any("last blessed model's" in reason for reason in fourth.record["verdict"]["reasons"])
    model = executions(job.root, "Trainer")[-1]
    identity = job.root / f"artifacts/Trainer/model/{model}/Format-Serving/assets.extra/seqloom.json"
    assert json.loads(identity.read_text()) == digests[0]
    refused = job.seqloom("gc", job.root, "--keep-runs", 0)
    assert refused.returncode == 2


def test_a_root_that_is_in_use_is_left_alone(new_job: Callable[..., Job]) -> None:
    job = new_job("busy-root", DATASET.replace("day-{SPAN}", "data"), 100)
    with job.started() as process:
        while not list(job.root.glob("logs/*/run.json")):
            assert process.poll() is None
            time.sleep(0.01)
        refused = job.seqloom("gc", job.root, "--delete")
        assert refused.returncode == 75
        assert "Another run is already using this root." in refused.stderr
        assert process.wait() == 0
