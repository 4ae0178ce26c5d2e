"""Runs whose events are known, and servers that take them or fail to."""

from __future__ import annotations

import datetime
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.events.recorder import Recorder
from pipeline.runs import record as history
from pipeline.runs.details import CorpusDetails, Details
from pipeline.runs.record import ComponentRecord, GateRecord, Pushed, RunRecord, Verdict

GATES = (
    GateRecord(metric="accuracy", slice="overall", bound="min", limit=0.7, value=0.91, met=True),
    GateRecord(metric="loss", slice="source=news", bound="max_rise", limit=0.3, value=0.25, met=True),
)


def row(name: str, state: str, seconds: float | None = None, records: int | None = None) -> ComponentRecord:
    return ComponentRecord.model_validate({"name": name, "state": state, "seconds": seconds, "records": records})


def published_run(recorder: Recorder, root: Path) -> RunRecord:
    """Saves the states of a run that publishes a model, as a runner does."""
    run = history.new_run(root, "tiny", "tagger")
    waiting = row("Trainer", "waiting")
    recorder.save(run.updated(components=[row("Gen", "running"), waiting]))
    recorder.save(run.updated(components=[row("Gen", "cached", 0.5), waiting]))
    recorder.save(run.updated(components=[row("Gen", "cached", 0.5), row("Trainer", "running")]))
    done = run.updated(components=[row("Gen", "cached", 0.5), row("Trainer", "done", 2.25, 40)])
    recorder.save(done)
    ended = done.updated(
        state="pushed",
        finished=run.started + datetime.timedelta(seconds=3),
        verdict=Verdict(blessed=True, reasons=("fine",), gates=GATES),
        pushed=Pushed(version="17", path=str(root / "serving/17")),
        details=Details(corpus=CorpusDetails(records=40, quarantined=2, reasons={"no label": 2})),
    )
    recorder.save(ended)
    return ended


def withdrawn_run(recorder: Recorder, root: Path) -> RunRecord:
    """Saves the states of a run whose model was rolled back before."""
    run = history.new_run(root, "tiny", "tagger")
    recorder.save(run.updated(components=[row("Gen", "running")]))
    finished = run.started + datetime.timedelta(seconds=3)
    ended = run.updated(state="withdrawn", finished=finished, components=[row("Gen", "cached", 0.5)])
    recorder.save(ended)
    return ended


def failed_run(recorder: Recorder, root: Path, error: str = "The disk is full.\n  where: /") -> RunRecord:
    """Saves the states of a run that fails."""
    run = history.new_run(root, "tiny", "tagger")
    recorder.save(run.updated(components=[row("Gen", "running")]))
    failed = run.updated(components=[row("Gen", "failed", 0.5)])
    recorder.save(failed)
    ended = failed.updated(
        state="failed", finished=run.started + datetime.timedelta(seconds=1), error=error, exit_code=75
    )
    recorder.save(ended)
    return ended


def events_of(record: RunRecord) -> list[dict[str, Any]]:
    path = history.run_dir(Path(record.root), record.run_id) / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


class Receiver:
    """A server on loopback that keeps what it is sent, and answers with a status."""

    def __init__(self, status: int, location: str | None = None) -> None:
        self.got: list[tuple[str, dict[str, str], Any]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if location is not None:
                    self.send_header("Location", location)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def make(status: int = 200, location: str | None = None) -> Receiver:
        made.append(Receiver(status, location))
        return made[-1]

    yield make
    for one in made:
        one.server.shutdown()
        one.server.server_close()


@pytest.fixture
def hanging() -> Iterator[str]:
    """The URL of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing() -> str:
    """The URL of a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"
