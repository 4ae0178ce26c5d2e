"""Compiled DAG files under a real Airflow: the whole pipeline, and what is repeated."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import cluster
from tests.e2e import killed_once
from tests.e2e.conftest import Job, Ran
from tests.e2e.test_steps import RESULTS, comparable, contents

pytestmark = pytest.mark.slow

IMAGE = f"registry.example/seqloom@sha256:{'0' * 64}"
DATASET = """\
name: tiny
task: dataset
corpus: {format: csv, path: data.csv, text: body}
transform: {min_count: 1}
resources: {SequenceTransform: {cpu: 2, memory: 4, gpu: 1}}
"""
TIME = "2026-03-02T04:15:00+00:00"
CODES = """\
#!/bin/sh
# The first time CorpusExampleGen fails because of something that passes; SchemaGen is not blessed.
case "$*" in
  *CorpusExampleGen) [ -e "$0.mark" ] || { touch "$0.mark"; exit 75; } ;;
  *SchemaGen) exit 3 ;;
  *PreviousStatistics) exit 1 ;;
esac
"""
OUTCOMES = {
    "CorpusExampleGen": ("success", 2),
    "SchemaGen": ("success", 1),
    "StatisticsGen": ("success", 1),
    "PreviousStatistics": ("failed", 1),
    "ExampleValidator": ("upstream_failed", 0),
    "SequenceTransform": ("upstream_failed", 0),
}
"""The state of each component and its number of attempts."""


@dataclasses.dataclass(frozen=True)
class Airflow:
    """A real Airflow with a database of its own, and where its pods run."""

    python: str
    home: Path
    kubeconfig: Path

    def __call__(self, *arguments: str) -> None:
        """Runs a command of Airflow, whose output goes to a file."""
        folder = Path(self.python).parent
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": f"{folder}:{os.environ['PATH']}",
            "no_proxy": "127.0.0.1",
        }
        command = [self.python, "-m", "airflow", *arguments]
        with (self.home / "output.txt").open("a") as output:
            subprocess.run(command, env=environment, cwd=self.home, stdout=output, stderr=output, check=False)

    def test(self, text: str) -> dict[str, tuple[str, int]]:
        """Runs a DAG file, whose waits are shortened; returns the state of each task and its number of attempts."""
        (self.home / "dags" / "tiny.py").write_text(text.replace("timedelta(minutes=1)", "timedelta(seconds=1)"))
        (self.home / "airflow.db").unlink(missing_ok=True)
        for command in (("db", "migrate"), ("dags", "reserialize"), ("dags", "test", "seqloom-tiny", TIME)):
            self(*command)
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db")) as database:
            rows = database.execute("select task_id, state, try_number from task_instance").fetchall()
        assert rows, (self.home / "output.txt").read_text()
        return {task: (state, tries) for task, state, tries in rows}


@pytest.fixture
def airflow(tmp_path: Path) -> Airflow:
    python = os.environ.get("SEQLOOM_AIRFLOW")
    if python is None:
        pytest.skip("SEQLOOM_AIRFLOW does not name the Python of an environment with Airflow")
    (tmp_path / "dags").mkdir()
    return Airflow(python, tmp_path, tmp_path / "kubeconfig")


@pytest.fixture
def with_pods(airflow: Airflow) -> Airflow:
    command = [airflow.python, "-c", "import airflow.providers.cncf.kubernetes"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the Airflow of SEQLOOM_AIRFLOW lacks apache-airflow-providers-cncf-kubernetes")
    return airflow


def compiled(job: Job, *options: object) -> str:
    compiling = job.seqloom("compile", "job.yaml", "--to", "airflow", *options)
    assert (compiling.returncode, compiling.stderr) == (0, "")
    return compiling.stdout


def program(job: Job) -> str:
    return f"env PYTHONPATH={job.code} {sys.executable} -m pipeline.cli"


def test_a_killed_training_is_repeated_alone_and_the_results_are_those_of_a_whole_run(
    airflow: Airflow, new_job: Callable[..., Job], ran: Callable[..., Ran], tmp_path: Path
) -> None:
    job, root = new_job("airflow", count=500), tmp_path / "root"
    killing = f"{sys.executable} {killed_once.__file__} {tmp_path / 'killed'} {program(job)}"
    found = airflow.test(compiled(job, "--root", root, "--command", killing))
    whole = ran(job)
    assert found == {**dict.fromkeys(whole.states, ("success", 1)), "Trainer": ("success", 2)}
    for component in RESULTS:
        assert contents(root, component) == contents(job.root, component)
    record = json.loads((root / "summary.json").read_text())
    assert record["details"]["training"].pop("resumed_after_epoch") >= 1
    whole.record["details"]["training"].pop("resumed_after_epoch")
    for one in (record, whole.record):
        one["details"].pop("tensorboard")
        del one["config"], one["pushed"]
    assert comparable(record) == comparable(whole.record)


def test_pods_run_a_job(with_pods: Airflow, new_job: Callable[..., Job], tmp_path: Path) -> None:
    job, volume = new_job("pods", DATASET, 100), tmp_path / "volume"
    options = ("--root", "/shared/tiny", "--image", IMAGE, "--claim", "models", "--command", program(job))
    with cluster(volume) as pods:
        with_pods.kubeconfig.write_text(pods.configuration())
        found = with_pods.test(compiled(job, *options))
    record = json.loads((volume / "summary.json").read_text())
    assert found == dict.fromkeys((row["name"] for row in record["components"]), ("success", 1))
    assert record["state"] == "transformed"
    specs = {pod["spec"]["containers"][0]["args"][-1]: pod["spec"] for pod in pods.pods.values()}
    assert specs.keys() == found.keys()
    for name, spec in specs.items():
        (container,) = spec["containers"]
        assert (container["image"], container["command"]) == (IMAGE, ["env"])
        resources = {"requests": {"cpu": "2", "memory": "4096Mi"}, "limits": {"nvidia.com/gpu": "1"}}
        assert container.get("resources", {}) == (resources if name == "SequenceTransform" else {})
        assert container["volumeMounts"] == [{"name": "root", "mountPath": "/shared/tiny"}]
        assert spec["volumes"] == [{"name": "root", "persistentVolumeClaim": {"claimName": "models"}}]
        assert spec["terminationGracePeriodSeconds"] == 300


@pytest.mark.parametrize("in_pods", [False, True], ids=["processes", "pods"])
def test_only_what_may_pass_is_repeated(
    request: pytest.FixtureRequest, new_job: Callable[..., Job], tmp_path: Path, in_pods: bool
) -> None:
    airflow = request.getfixturevalue("with_pods" if in_pods else "airflow")
    job, script = new_job("codes", DATASET, 10), tmp_path / "codes"
    script.write_text(CODES)
    options = ["--root", "/shared/tiny", "--command", f"sh {script}", *(["--image", IMAGE] if in_pods else [])]
    with cluster(tmp_path) as pods:
        airflow.kubeconfig.write_text(pods.configuration())
        assert airflow.test(compiled(job, *options)) == OUTCOMES
