"""The events of real runs: of one process, of several, and of runs whose sinks hang."""

from __future__ import annotations

import datetime
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import YAML, Job

pytestmark = pytest.mark.slow

DATASET = "name: d\ntask: dataset\ncorpus: {format: csv, path: data.csv, text: body, label: stars, id: key}\n"
COMPONENTS = (
    "CorpusExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "PreviousStatistics",
    "ExampleValidator",
    "SequenceTransform",
)


@pytest.fixture(scope="module")
def hanging() -> Iterator[str]:
    """The URL of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def events(job: Job, run_id: str) -> list[dict]:
    return lines(job.root / "logs" / run_id / "events.jsonl")


def test_a_run_ends_as_without_sinks_if_they_hang(new_job: Callable[..., Job], hanging: str) -> None:
    sinks = {
        "webhook": {"url": hanging, "on": ["all"]},
        "openlineage": {"file": "lineage.jsonl"},
        "prometheus": {"file": "tiny.prom"},
    }
    job = new_job("hanging", YAML + f"events: {json.dumps(sinks)}\n", 200)
    done = job.run()
    assert done.returncode == 0, done.stderr
    (record,) = job.records()
    found = events(job, record["run_id"])
    lost = [line for line in done.stdout.splitlines() if line.startswith("Warning: events.")]
    assert [line.partition(": no answer")[0] for line in lost] == [
        f"Warning: events.webhook has not got {len(found)} of {len(found)} events"
    ]
    log = (job.root / "logs" / record["run_id"] / "run.log").read_text()
    assert log.count("events.webhook has not got") == 1
    assert [event["event"] for event in found if "component" not in event] == [
        "run_started",
        "records_quarantined",
        *["gate_decided"] * 7,
        "model_published",
        "run_ended",
    ]
    gates = {(one["metric"], one["slice"], one.get("bound")): one for one in found if one["event"] == "gate_decided"}
    overall = record["metrics"]["overall"]
    assert gates["accuracy", "overall", "min"]["value"] == overall["accuracy"]
    assert (gates["loss", "overall", "max"]["limit"], gates["loss", "overall", "max"]["met"]) == (0.8, True)
    assert gates["accuracy", "source=news", "min"]["value"] == record["metrics"]["source=news"]["accuracy"]
    assert {key[2] for key in gates} == {"min", "max", "max_drop", "max_rise", "min_over_linear"}
    for row in record["components"]:
        (started, ended) = [event for event in found if event.get("component") == row["name"]]
        assert (started["event"], ended["event"]) == ("component_started", f"component_{row['state']}")
        assert (ended["seconds"], ended.get("records")) == (row["seconds"], row["records"])
        assert started["time"] < ended["time"]
    end = found[-1]
    assert (end["state"], end["exit_code"], end["version"]) == ("pushed", 0, record["pushed"]["version"])
    families = text_string_to_metric_families((job.folder / "tiny.prom").read_text())
    samples = {sample.name: sample.value for family in families for sample in family.samples}
    assert samples["seqloom_published_version"] == int(record["pushed"]["version"])
    assert samples["seqloom_records"] == 200
    ended_at = datetime.datetime.fromisoformat(end["time"].replace("Z", "+00:00")).timestamp()
    assert samples["seqloom_last_success_timestamp_seconds"] == pytest.approx(ended_at, abs=1e-5)
    lineage = lines(job.folder / "lineage.jsonl")
    assert [(one["job"]["name"], one["eventType"]) for one in (lineage[0], lineage[-1])] == [
        ("tiny", "START"),
        ("tiny", "COMPLETE"),
    ]
    assert len(lineage) == 2 + 2 * len(record["components"])


def test_the_steps_of_a_run_write_one_file_of_events(new_job: Callable[..., Job]) -> None:
    job = new_job("stepped-events", DATASET + "events: {openlineage: {file: lineage.jsonl}}\n", 100)
    options = ("--run-id", "one", "--only")
    assert job.run(*options, "CorpusExampleGen").returncode == 0
    with job.started(*options, "SchemaGen") as one, job.started(*options, "StatisticsGen") as other:
        assert (one.wait(), other.wait()) == (0, 0)
    assert job.run(*options, "PreviousStatistics,ExampleValidator,SequenceTransform").returncode == 0
    found = events(job, "one")
    assert [event["event"] for event in found if "component" not in event] == [
        "run_started",
        "records_quarantined",
        "run_ended",
    ]
    per_component = {name: [event["event"] for event in found if event.get("component") == name] for name in COMPONENTS}
    assert per_component == {name: ["component_started", "component_done"] for name in COMPONENTS}
    assert found[-1]["state"] == "transformed"
    lineage = lines(job.folder / "lineage.jsonl")
    assert len({one["run"]["runId"] for one in lineage}) == 1 + len(COMPONENTS)
    parents = {one["run"]["facets"]["parent"]["run"]["runId"] for one in lineage if "parent" in one["run"]["facets"]}
    assert parents == {one["run"]["runId"] for one in lineage if one["job"]["name"] == "d"}


def test_a_killed_step_is_interrupted_and_its_retry_resumes_the_run(new_job: Callable[..., Job]) -> None:
    job = new_job("killed-events", DATASET, 100)
    options = ("--run-id", "one", "--only", "CorpusExampleGen")
    with job.started(*options) as process:
        while not any(event["event"] == "component_started" for event in known(job)):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        process.wait()
    assert job.run(*options).returncode == 0
    found = [(event["event"], event.get("state")) for event in events(job, "one")]
    assert found == [
        ("run_started", None),
        ("component_started", None),
        ("component_interrupted", None),
        ("run_ended", "interrupted"),
        ("run_resumed", None),
        ("component_started", None),
        ("component_done", None),
    ]


def known(job: Job) -> list[dict]:
    path = job.root / "logs/one/events.jsonl"
    return lines(path) if path.exists() else []


def test_a_failed_run_says_why(new_job: Callable[..., Job]) -> None:
    job = new_job("failing-events", DATASET.replace("id: key", "id: missing"), 50)
    failed = job.run()
    assert failed.returncode == 1
    (record,) = job.records()
    end = events(job, record["run_id"])[-1]
    assert (end["event"], end["state"], end["exit_code"]) == ("run_ended", "failed", 1)
    assert end["error"] == record["error"].splitlines()[0] == failed.stderr.splitlines()[0]
