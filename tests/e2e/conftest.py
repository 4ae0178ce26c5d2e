"""Jobs on small synthetic corpora, run through the real command line in their own processes."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests import processes

REPO = Path(__file__).resolve().parents[2]
PACKAGES = ("pipeline", "components", "trainer", "schema")
CLASS_WORDS = {"bad": ("awful", "dull", "poor", "stale"), "good": ("bright", "superb", "warm", "witty")}
HEADER = ("key", "body", "stars", "site")
YAML = """\
name: tiny
task: classifier
corpus: {format: csv, path: data.csv, text: body, label: stars, source: site, id: key, labels: {"0": bad, "1": good}}
transform: {min_count: 1}
trainer: {epochs: 3, units: 8, embedding: 8, batch_tokens: 128, learning_rate: 0.02}
gates:
  accuracy: {min: 0.7, max_drop: 0.1, min_over_linear: -0.5, slices: {news: {min: 0.6}}}
  auc: {min: 0.7}
  loss: {max: 0.8, max_rise: 0.3}
serving: {keep: 2}
"""
MLMD_STATES = {1: "NEW", 2: "RUNNING", 3: "COMPLETE", 4: "FAILED", 5: "CACHED", 6: "CANCELED"}
LAST_RUN = """
    select substr(node.name, instr(node.name, '.') + 1), execution.last_known_state
    from Execution execution
    join Association of_run on of_run.execution_id = execution.id
    join Association of_node on of_node.execution_id = execution.id
    join Context node on node.id = of_node.context_id and node.type_id = (select id from Type where name = 'node')
    where of_run.context_id =
        (select max(id) from Context where type_id = (select id from Type where name = 'pipeline_run'))
"""


def documents(count: int) -> Iterator[tuple[str, str, str, str]]:
    """Yields key, text, label and source: two words of the class among noise; one label in 25 is wrong."""
    random_ = random.Random(1)
    for number in range(count):
        name = ("bad", "good")[number % 2]
        words = random_.choices([f"word{word}" for word in range(40)], k=random_.randint(3, 12))
        words += random_.choices(CLASS_WORDS[name], k=2)
        random_.shuffle(words)
        label = number % 2 if number % 25 else 1 - number % 2
        yield str(number), " ".join(words).capitalize() + ".", str(label), ("news", "forum")[number % 3 == 0]


@dataclasses.dataclass(frozen=True)
class Job:
    """A folder with `job.yaml` and the corpus, where commands run the packages of the folder `code`."""

    folder: Path
    code: Path

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def seqloom(self, *arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, in a process that starts with the libraries."""
        where = {"code": self.code, "folder": self.folder}
        return processes.seqloom([*map(str, arguments)], **where, environment=self._environment, given=given)

    def fresh(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, in a process that starts as those of users do."""
        return subprocess.run(**self._process(arguments), capture_output=True, check=False)

    def run(self, *options: object, fresh: bool = False) -> subprocess.CompletedProcess[str]:
        command = self.fresh if fresh else self.seqloom
        return command("run", "job.yaml", "--root", self.root, *options)

    @contextlib.contextmanager
    def started(self, *options: object) -> Iterator[subprocess.Popen[str]]:
        """Starts the job for the caller to watch, and kills it at the end of the block if it still runs."""
        command = self._process(["run", "job.yaml", "--root", self.root, *options])
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        # A shell that starts the tests in the background makes all their processes ignore SIGINT.
        listen = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
        with subprocess.Popen(**command, **pipes, **listen) as process:
            try:
                yield process
            finally:
                process.kill()

    def records(self) -> list[dict]:
        """The records of all runs, oldest first."""
        return [json.loads(path.read_text()) for path in sorted(self.root.glob("logs/*/run.json"))]

    def versions(self) -> list[str]:
        return sorted(path.name for path in self.root.glob("serving/*") if path.is_dir())

    def executions(self) -> dict[str, str]:
        """State of each component of the latest run in ML Metadata, read with plain SQL."""
        with contextlib.closing(sqlite3.connect(self.root / "metadata.sqlite")) as database:
            return {name: MLMD_STATES[state] for name, state in database.execute(LAST_RUN)}

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.code), "COLUMNS": "100", "TERM": "dumb"}

    def _process(self, arguments: Iterable[object]) -> dict:
        command = [sys.executable, "-m", "pipeline.cli", *map(str, arguments)]
        return {"args": command, "cwd": self.folder, "env": self._environment, "text": True}


@dataclasses.dataclass(frozen=True)
class Ran:
    """A finished run as it ended, whatever ran later; `states` are those of its record, `executions` of ML Metadata."""

    process: subprocess.CompletedProcess[str]
    record: dict
    states: dict[str, str]
    executions: dict[str, str]
    versions: list[str]


@pytest.fixture(scope="session")
def new_job(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Job]:
    """Makes a job of a YAML and a number of documents, with a copy of the packages that all jobs share or its own.

    An edit of the repository while the tests run would invalidate the cache of the runs.
    """

    def copy() -> Path:
        folder = tmp_path_factory.mktemp("packages")
        for package in PACKAGES:
            shutil.copytree(REPO / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        return folder

    shared = copy()

    def make(name: str, yaml: str = YAML, count: int = 400, own_code: bool = False) -> Job:
        job = Job(tmp_path_factory.mktemp(name), copy() if own_code else shared)
        (job.folder / "job.yaml").write_text(yaml)
        with (job.folder / "data.csv").open("w", newline="") as file:
            csv.writer(file).writerows([HEADER, *documents(count)])
        return job

    return make


@pytest.fixture(scope="session")
def ran() -> Callable[..., Ran]:
    """Runs a job and captures its state at the end."""

    def run(job: Job, *options: object, fresh: bool = False) -> Ran:
        process = job.run(*options, fresh=fresh)
        assert job.records(), process.stderr
        record = job.records()[-1]
        states = {component["name"]: component["state"] for component in record["components"]}
        return Ran(process, record, states, job.executions(), job.versions())

    return run


@pytest.fixture(scope="session")
def ask() -> Callable[..., list[dict]]:
    """Answers of `seqloom predict`, as parsed JSON."""

    def predict(job: Job, model: Path | str, *arguments: object, given: str = "") -> list[dict]:
        done = job.seqloom("predict", model, *arguments, given=given)
        assert (done.returncode, done.stderr) == (0, "")
        return [json.loads(line) for line in done.stdout.splitlines()]

    return predict
