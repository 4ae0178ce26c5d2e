"""The Trainer's step of a run in two processes, which train one model."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import Job

pytestmark = pytest.mark.slow

SETTINGS = ("trainer.strategy=multi_worker", "trainer.epochs=6", "trainer.patience=6")
OPTIONS = [part for setting in SETTINGS for part in ("--set", setting)]
STEP = ("--run-id", "one", *OPTIONS, "--only")
DATA = "CorpusExampleGen,StatisticsGen,SchemaGen,PreviousStatistics,ExampleValidator,SequenceTransform"


@dataclasses.dataclass(frozen=True)
class Worker(Job):
    """A job as one of the workers sees it."""

    config: str = ""

    @property
    def _environment(self) -> dict[str, str]:
        return {**super()._environment, "TF_CONFIG": self.config}


@contextlib.contextmanager
def training(job: Job) -> Iterator[tuple[subprocess.Popen[str], subprocess.Popen[str]]]:
    """Starts the chief and a worker."""
    with socket.socket() as one, socket.socket() as two:
        for listening in (one, two):
            listening.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{listening.getsockname()[1]}" for listening in (one, two)]
    both = [
        Worker(
            job.folder,
            job.code,
            json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": number}}),
        )
        for number in (0, 1)
    ]
    with both[0].started(*STEP, "Trainer") as chief, both[1].started(*STEP, "Trainer") as worker:
        yield chief, worker


def test_a_lost_worker_is_to_be_retried_and_the_chief_alone_records(new_job: Callable[..., Job]) -> None:
    job = new_job("distributed")
    assert job.run(*STEP, DATA).returncode == 0
    with training(job) as (chief, worker):
        assert worker.stdout is not None
        assert any(re.match("Trainer: epoch 1/6", line) for line in worker.stdout)
        os.kill(worker.pid, signal.SIGKILL)
        _, err = chief.communicate()
    assert chief.returncode == 75, err
    assert "A worker of the training is lost.\n" in err
    with training(job) as (chief, worker):
        results = [process.communicate() for process in (worker, chief)]
    assert [worker.returncode, chief.returncode] == [0, 0], results
    (record,) = job.records()
    (trainer,) = [row for row in record["components"] if row["name"] == "Trainer"]
    assert (record["state"], trainer["state"]) == ("waiting", "done")
    assert job.executions()["Trainer"] == "COMPLETE"
    assert len([*job.root.glob("artifacts/Trainer/model/*")]) == 1
    assert {path.name for path in job.root.glob("logs/one/Trainer*.log")} == {"Trainer.log", "Trainer-worker-1.log"}
