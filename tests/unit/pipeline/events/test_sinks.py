"""What sinks get, and what becomes of those that hang or fail."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.config.job import Job
from pipeline.events.recorder import Recorder
from pipeline.events.sinks import recording
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.record import RunRecord
from pipeline.tasks.loading import load
from tests.unit.pipeline.events.conftest import Receiver, events_of, failed_run, published_run, withdrawn_run
from trainer.errors import JobError

Make = Callable[..., Receiver]
YAML = "name: tiny\ntask: dataset\ncorpus: {format: text, path: data.txt}\n"


@pytest.fixture
def job(tmp_path: Path) -> Callable[[dict], Job]:
    def make(events: dict) -> Job:
        (tmp_path / "data.txt").write_text("a b\n")
        (tmp_path / "job.yaml").write_text(YAML + f"events: {json.dumps(events)}\n")
        return load(tmp_path / "job.yaml")

    return make


@pytest.fixture
def run(tmp_path: Path, job) -> Callable[..., tuple[RunRecord, list[str], str]]:
    """Saves the states of a run of a job with sinks; returns its record, the lines that users see, and the log."""

    def record(
        events: dict, states: Callable[[Recorder, Path], RunRecord] = published_run
    ) -> tuple[RunRecord, list[str], str]:
        shown: list[str] = []
        log = tmp_path / "run.log"
        with recording(job(events), tmp_path, log, Interrupts(), shown.append) as recorder:
            found = states(recorder, tmp_path)
        return found, shown, log.read_text() if log.exists() else ""

    return record


def test_a_webhook_gets_all_events_as_they_are_in_the_file(receiver: Make, run, tmp_path: Path, monkeypatch) -> None:
    server = receiver()
    monkeypatch.setenv("HOOK_TOKEN", "Bearer s3cret")
    monkeypatch.setenv("HOOK_URL", f"{server.url}/path/s3cret")
    events = {"url_from": "HOOK_URL", "headers_from": {"Authorization": "HOOK_TOKEN"}, "on": ["all"]}
    record, shown, log = run({"webhook": events})
    assert (shown, log) == ([], "")
    bodies = [dict(body) for body in server.bodies]
    texts = [body.pop("text") for body in bodies]
    assert {body.pop("root") for body in bodies} == {str(tmp_path)}
    assert bodies == events_of(record)
    assert texts[0] == "tiny: run started"
    assert texts[-2:] == ["tiny: version 17 is published.", "tiny: Published as version 17."]
    path, headers, _ = server.got[0]
    assert (path, headers["Authorization"]) == ("/path/s3cret", "Bearer s3cret")
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("on", "states", "expected"),
    [
        (None, published_run, ["model_published"]),
        (["finished", "started"], published_run, ["run_started", "run_ended"]),
        (["failed", "refused"], published_run, []),
        (None, failed_run, ["run_ended"]),
        (["published", "refused"], failed_run, []),
        (None, withdrawn_run, ["run_ended"]),
        (["published", "failed"], withdrawn_run, []),
    ],
)
def test_a_webhook_gets_what_it_is_for(receiver: Make, run, on, states, expected) -> None:
    server = receiver()
    run({"webhook": {"url": server.url, **({"on": on} if on else {})}}, states)
    assert [body["event"] for body in server.bodies] == expected


def test_a_server_that_hangs_is_one_line_in_the_log_and_for_the_user(hanging: str, run) -> None:
    sinks = {"webhook": {"url": f"{hanging}/s3cret", "on": ["all"]}, "openlineage": {"url": hanging}}
    record, shown, log = run(sinks)
    assert len(events_of(record)) == 10
    assert [line.partition(" has ")[0] for line in shown] == ["Warning: events.webhook", "Warning: events.openlineage"]
    for line in shown:
        assert "has not got 10 of 10 events: no answer within " in line
        assert log.count(line.removeprefix("Warning: ")) == 1
    assert "s3cret" not in log


def test_servers_that_refuse_or_fail_are_named_with_the_reason(receiver: Make, refusing: str, run) -> None:
    failing = receiver(500)
    webhook = {"url": f"{failing.url}/s3cret", "on": ["finished"]}
    _, shown, log = run({"webhook": webhook, "openlineage": {"url": f"{refusing}/s3cret"}})
    assert shown == [
        "Warning: events.webhook has not got 1 of 10 events: HTTP status 500.",
        "Warning: events.openlineage has not got 6 of 10 events: Connection refused.",
    ]
    assert "s3cret" not in log


def test_a_variable_that_is_not_set_and_a_folder_that_is_missing_do_not_stop_a_run(run, monkeypatch) -> None:
    monkeypatch.delenv("NO_URL", raising=False)
    _, shown, _ = run({"webhook": {"url_from": "NO_URL"}, "prometheus": {"file": "missing/tiny.prom"}})
    assert shown == [
        "Warning: events.webhook has not got 10 of 10 events: The environment variable NO_URL is not set.",
        "Warning: events.prometheus has not got 1 of 10 events: No such file or directory.",
    ]


def test_a_redirect_is_not_followed_with_the_secrets(receiver: Make, run, monkeypatch) -> None:
    monkeypatch.setenv("HOOK_TOKEN", "s3cret")
    target = receiver()
    server = receiver(307, target.url)
    _, shown, _ = run({"webhook": {"url": server.url, "headers_from": {"Authorization": "HOOK_TOKEN"}}})
    assert shown == ["Warning: events.webhook has not got 1 of 10 events: HTTP status 307."]
    assert (len(server.got), target.got) == (1, [])


def test_a_variable_without_a_url_is_not_opened(run, monkeypatch) -> None:
    monkeypatch.setenv("HOOK_URL", "file:///etc/hostname")
    _, shown, _ = run({"webhook": {"url_from": "HOOK_URL"}})
    reason = "The environment variable HOOK_URL has no URL of a web server"
    assert shown == [f"Warning: events.webhook has not got 10 of 10 events: {reason}."]


def test_a_file_of_another_program_is_replaced(run, tmp_path: Path) -> None:
    path = tmp_path / "tiny.prom"
    path.write_text("no metrics {{{\n")
    assert run({"prometheus": {"file": "tiny.prom"}})[1] == []
    assert metrics(path)[("seqloom_records",)] == 40


def metrics(path: Path) -> dict[tuple, float]:
    families = text_string_to_metric_families(path.read_text())
    return {
        (one.name, *(one.labels[key] for key in sorted(one.labels) if key != "pipeline")): one.value
        for family in families
        for one in family.samples
        if one.labels["pipeline"] == "tiny"
    }


def test_the_file_for_prometheus_keeps_what_a_failed_run_does_not_have(run, tmp_path: Path) -> None:
    path = tmp_path / "tiny.prom"
    sinks = {"prometheus": {"file": "tiny.prom"}}
    record, shown, _ = run(sinks)
    ended = events_of(record)[-1]["time"].replace("Z", "+00:00")
    found = metrics(path)
    finished = found.pop(("seqloom_last_run_timestamp_seconds",))
    assert finished == pytest.approx(datetime.datetime.fromisoformat(ended).timestamp(), abs=1e-5)
    lasting = {
        ("seqloom_last_success_timestamp_seconds",): finished,
        ("seqloom_records",): 40,
        ("seqloom_quarantined_records",): 2,
        ("seqloom_gate_value", "accuracy", "overall"): 0.91,
        ("seqloom_gate_value", "loss", "source=news"): 0.25,
        ("seqloom_gate_limit", "min", "accuracy", "overall"): 0.7,
        ("seqloom_gate_limit", "max_rise", "loss", "source=news"): 0.3,
        ("seqloom_gate_met", "min", "accuracy", "overall"): 1,
        ("seqloom_gate_met", "max_rise", "loss", "source=news"): 1,
        ("seqloom_published_version",): 17,
    }
    assert found == {
        **lasting,
        ("seqloom_last_run_exit_code",): 0,
        ("seqloom_last_run_seconds",): 3,
        ("seqloom_component_seconds", "Gen"): 0.5,
        ("seqloom_component_seconds", "Trainer"): 2.25,
    }
    inode = path.stat().st_ino
    _, shown, _ = run(sinks, failed_run)
    assert shown == []
    assert path.stat().st_ino != inode
    assert [file.name for file in tmp_path.glob("*prom*")] == ["tiny.prom"]
    later = metrics(path)
    assert later.pop(("seqloom_last_run_timestamp_seconds",)) > finished
    assert later == {
        **lasting,
        ("seqloom_last_run_exit_code",): 75,
        ("seqloom_last_run_seconds",): 1,
        ("seqloom_component_seconds", "Gen"): 0.5,
    }


def test_nothing_is_logged_for_sinks_that_take_everything(run, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run({})
    assert caplog.records == []


@pytest.mark.parametrize(
    ("events", "title"),
    [
        ({"webhook": {}}, "A webhook needs one URL."),
        ({"webhook": {"url": "http://h/", "url_from": "A"}}, "A webhook needs one URL."),
        ({"webhook": {"url": "file:///etc/passwd"}}, "events.webhook.url"),
        ({"webhook": {"url": "http://h/", "headers_from": {"Authorization": "Bearer s3cret"}}}, "headers_from"),
        ({"webhook": {"url": "http://h/", "on": []}}, "events.webhook.on"),
        ({"openlineage": {"namespace": "a"}}, "OpenLineage needs one receiver."),
        ({"openlineage": {"file": "a", "api_key_from": "A"}}, "An API key needs a server."),
        ({"prometheus": {"file": "metrics.txt"}}, "events.prometheus.file"),
        ({"prometheu": {"file": "metrics.prom"}}, "prometheu"),
    ],
)
def test_sinks_that_cannot_be_are_refused(job, events: dict, title: str) -> None:
    with pytest.raises(JobError, match=title):
        job(events)
