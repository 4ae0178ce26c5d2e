"""OpenLineage's events, against the classes and facets of its own library."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from openlineage.client.facet_v2 import data_quality_assertions_dataset as assertions
from openlineage.client.generated import base

from pipeline.events.sinks import recording
from pipeline.runs.interrupts import Interrupts
from pipeline.tasks.loading import load
from tests.unit.pipeline.events.conftest import failed_run, published_run

YAML = "name: tiny\ntask: dataset\ncorpus: {format: text, path: data.txt}\n"


def parsed(event: dict) -> base.RunEvent:
    """Rebuilds an event with the library's classes, whose validators check times and ids and know all fields."""
    for key, facets in (("run", event["run"].get("facets", {})), ("job", event["job"].get("facets", {}))):
        assert all("_producer" in facet and "_schemaURL" in facet for facet in facets.values()), key
    return base.RunEvent(
        eventTime=event["eventTime"],
        eventType=base.EventType(event["eventType"]),
        run=base.Run(**event["run"]),
        job=base.Job(**event["job"]),
        producer=event["producer"],
        inputs=[base.InputDataset(**one) for one in event.get("inputs", [])],
        outputs=[base.OutputDataset(**one) for one in event.get("outputs", [])],
    )


@pytest.fixture
def lines(tmp_path: Path):
    def run(states, sink: dict) -> list[dict]:
        (tmp_path / "data.txt").write_text("a b\n")
        (tmp_path / "job.yaml").write_text(YAML + f"events: {{openlineage: {json.dumps(sink)}}}\n")
        shown: list[str] = []
        job = load(tmp_path / "job.yaml")
        with recording(job, tmp_path, tmp_path / "run.log", Interrupts(), shown.append) as recorder:
            states(recorder, tmp_path)
        assert shown == []
        return [json.loads(line) for line in (tmp_path / "lineage.jsonl").read_text().splitlines()]

    return run


def test_a_run_and_its_components_start_and_complete(lines, tmp_path: Path) -> None:
    found = lines(published_run, {"file": "lineage.jsonl", "namespace": "team"})
    events = [parsed(event) for event in found]
    assert [(event.job.name, event.eventType.value) for event in events] == [
        ("tiny", "START"),
        ("tiny.Gen", "START"),
        ("tiny.Gen", "COMPLETE"),
        ("tiny.Trainer", "START"),
        ("tiny.Trainer", "COMPLETE"),
        ("tiny", "COMPLETE"),
    ]
    assert {event.job.namespace for event in events} == {"team"}
    whole, generator, trainer = (events[number].run.runId for number in (0, 1, 3))
    assert len({whole, generator, trainer}) == 3
    assert [event.run.runId for event in events] == [whole, generator, generator, trainer, trainer, whole]
    for event in events[1:5]:
        parent = event.run.facets["parent"]
        assert (parent["run"]["runId"], parent["job"]) == (whole, {"namespace": "team", "name": "tiny", "facets": {}})
        assert uuid.UUID(event.run.runId)
    (corpus,), (model,) = events[-1].inputs, events[-1].outputs
    assert (corpus.namespace, corpus.name) == ("file", str(tmp_path / "data.txt"))
    assert (model.namespace, model.name) == ("file", str(tmp_path / "serving/17"))
    assert corpus.inputFacets["inputStatistics"]["rowCount"] == 40
    gates = [assertions.Assertion(**one) for one in corpus.inputFacets["dataQualityAssertions"]["assertions"]]
    assert [(one.assertion, one.success, one.expected, one.actual, one.params) for one in gates] == [
        ("accuracy min", True, "0.7", "0.91", {"slice": "overall"}),
        ("loss max_rise", True, "0.3", "0.25", {"slice": "source=news"}),
    ]


def test_a_failed_run_has_the_title_of_its_error(lines) -> None:
    events = [parsed(event) for event in lines(failed_run, {"file": "lineage.jsonl"})]
    assert [event.eventType.value for event in events] == ["START", "START", "FAIL", "FAIL"]
    assert events[-1].run.facets["errorMessage"]["message"] == "The disk is full."
    assert {event.job.namespace for event in events} == {"seqloom"}


def test_a_server_gets_the_same_events_with_its_key(lines, receiver, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LINEAGE_KEY", "s3cret")
    server = receiver()
    (tmp_path / "lineage.jsonl").touch()
    assert lines(published_run, {"url": server.url, "api_key_from": "LINEAGE_KEY"}) == []
    states = [parsed(body).eventType.value for body in server.bodies]
    assert states == ["START", "START", "COMPLETE", "START", "COMPLETE", "COMPLETE"]
    assert {(path, headers["Authorization"]) for path, headers, _ in server.got} == {
        ("/api/v1/lineage", "Bearer s3cret")
    }
