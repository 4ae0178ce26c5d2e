"""The events that lie between the states of a record, and their file."""

from __future__ import annotations

import datetime
import errno
import json
import os
import resource
from pathlib import Path

import pytest

from pipeline.events.recorder import Recorder, append
from pipeline.events.run_event import RunEvent, changes
from pipeline.runs import record as history
from pipeline.runs.record import RunRecord
from tests.unit.pipeline.events.conftest import events_of, failed_run, published_run, row

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


class Kept:
    """Keeps what is delivered."""

    def __init__(self) -> None:
        self.events: list[RunEvent] = []

    def __call__(self, events, record) -> None:
        self.events += events


def test_a_published_run_has_an_event_for_each_thing_that_happens(tmp_path: Path) -> None:
    kept = Kept()
    record = published_run(Recorder(tmp_path, kept), tmp_path)
    events = events_of(record)
    assert [json.loads(event.line) for event in kept.events] == events
    for event in events:
        assert (event.pop("run"), event.pop("job"), event.pop("task")) == (record.run_id, "tiny", "tagger")
        assert (
            datetime.datetime.fromisoformat(event.pop("time").replace("Z", "+00:00")).utcoffset()
            == datetime.timedelta()
        )
    assert events == [
        {"event": "run_started"},
        {"event": "component_started", "component": "Gen"},
        {"event": "component_cached", "component": "Gen", "seconds": 0.5},
        {"event": "component_started", "component": "Trainer"},
        {"event": "component_done", "component": "Trainer", "seconds": 2.25, "records": 40},
        {"event": "records_quarantined", "records": 40, "quarantined": 2, "reasons": {"no label": 2}},
        {"event": "gate_decided", "metric": "accuracy", "slice": "overall", "bound": "min", "limit": 0.7, "value": 0.91,
         "met": True},
        {"event": "gate_decided", "metric": "loss", "slice": "source=news", "bound": "max_rise", "limit": 0.3,
         "value": 0.25, "met": True},
        {"event": "model_published", "version": "17", "path": str(tmp_path / "serving/17")},
        {"event": "run_ended", "state": "pushed", "exit_code": 0, "seconds": 3.0, "records": 40, "quarantined": 2,
         "version": "17"},
    ]  # fmt: skip


def test_a_failed_run_ends_with_the_title_of_its_error_and_its_exit_code(tmp_path: Path) -> None:
    events = events_of(failed_run(Recorder(tmp_path, Kept()), tmp_path))
    assert [event["event"] for event in events] == ["run_started", "component_started", "component_failed", "run_ended"]
    end = events[-1]
    assert (end["state"], end["exit_code"], end["error"], end["seconds"]) == ("failed", 75, "The disk is full.", 1.0)


def states(record: RunRecord, *pairs: tuple[str, list]) -> list[list[str]]:
    """The events of each of several states of a record, one after the other."""
    found, before = [], None
    for state, components in pairs:
        after = record.updated(state=state, components=components)
        found.append([f"{event.component or ''}{event.event.value}" for event in changes(before, after, NOW)])
        before = after
    return found


def test_steps_resume_a_run_that_has_failed_and_saving_the_same_again_is_no_event(tmp_path: Path) -> None:
    record = history.new_run(tmp_path, "tiny")
    assert states(
        record,
        ("waiting", [row("A", "waiting"), row("B", "waiting")]),
        ("running", [row("A", "running"), row("B", "waiting")]),
        ("failed", [row("A", "failed"), row("B", "waiting")]),
        ("failed", [row("A", "failed"), row("B", "waiting")]),
        ("running", [row("A", "running"), row("B", "waiting")]),
        ("interrupted", [row("A", "interrupted"), row("B", "waiting")]),
        ("running", [row("A", "running"), row("B", "waiting")]),
        ("waiting", [row("A", "done"), row("B", "skipped")]),
        ("not_blessed", [row("A", "done"), row("B", "skipped")]),
    ) == [
        ["run_started"],
        ["Acomponent_started"],
        ["Acomponent_failed", "run_ended"],
        [],
        ["run_resumed", "Acomponent_started"],
        ["Acomponent_interrupted", "run_ended"],
        ["run_resumed", "Acomponent_started"],
        ["Acomponent_done", "Bcomponent_skipped"],
        ["run_ended"],
    ]


def test_appended_lines_are_whole_or_missing(tmp_path: Path) -> None:
    path = tmp_path / "new/events.jsonl"
    append(path, b'{"a": 1}\n')
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            append(path, b'{"b": 2}\n')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == before
    append(path, b'{"c": 3}\n')
    assert path.read_bytes() == before + b'{"c": 3}\n'


def test_a_file_of_events_that_cannot_be_written_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept()
    recorder = Recorder(tmp_path, kept)
    run = history.new_run(tmp_path, "tiny")
    (history.run_dir(tmp_path, run.run_id) / "events.jsonl").mkdir(parents=True)
    for state in ("running", "done"):
        recorder.save(run.updated(components=[row("Gen", state)]))
    assert [event.event.value for event in kept.events] == ["run_started", "component_started", "component_done"]
    assert history.read(tmp_path, run.run_id) is not None
    (warning,) = [each.getMessage() for each in caplog.records]
    assert warning.endswith(f"events.jsonl lacks events, because it cannot be written: {os.strerror(errno.EISDIR)}")


def test_a_full_disk_is_the_error_of_the_run_and_its_end_is_still_delivered(tmp_path: Path) -> None:
    kept = Kept()
    recorder = Recorder(tmp_path, kept)
    run = history.new_run(tmp_path, "tiny").updated(components=[row("Gen", "running")])
    recorder.save(run)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        for state, components in (("running", [row("Gen", "failed")]), ("failed", [row("Gen", "failed")])):
            with pytest.raises(OSError, match="File too large"):
                recorder.save(run.updated(state=state, components=components, error="The disk is full."))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [event.event.value for event in kept.events] == [
        "run_started",
        "component_started",
        "component_failed",
        "run_ended",
    ]
    assert kept.events[-1].error == "The disk is full."
