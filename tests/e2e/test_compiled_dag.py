"""The commands of a compiled DAG file, run as processes in the order of its edges."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from graphlib import TopologicalSorter

import pytest

from tests import compiled
from tests.e2e.conftest import Job

pytestmark = pytest.mark.slow

YAML = """\
name: daily
task: dataset
corpus: {format: text, path: "day-{YYYY}{MM}{DD}.txt"}
transform: {min_count: 1}
"""
TIME = datetime.datetime(2026, 3, 2, 4, 15, tzinfo=datetime.timezone.utc)


def test_the_commands_of_a_dag_run_the_span_of_its_time(new_job: Callable[..., Job]) -> None:
    job = new_job("compiled", YAML, 1)
    for day, word in (("20260301", "first"), ("20260302", "second")):
        (job.folder / f"day-{day}.txt").write_text("".join(f"{word} w{number}\n" for number in range(100)))
    program = f"env PYTHONPATH={job.code} {sys.executable} -m pipeline.cli"
    options = ("--to", "airflow", "--root", job.root, "--command", program, "--days-back", "1")
    compiling = job.seqloom("compile", "job.yaml", *options)
    assert (compiling.returncode, compiling.stderr) == (0, "")
    commands = compiled.commands(compiling.stdout, "scheduled__2026-03-02T04:15:00+00:00", TIME)
    edges = compiled.parts(compiling.stdout)["UPSTREAM"]
    for component in TopologicalSorter(edges).static_order():
        done = subprocess.run(commands[component], cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (record,) = job.records()
    assert record["run_id"] == "scheduled__2026-03-02T04:15:00+00:00"
    assert record["state"] == "transformed"
    assert {row["name"]: row["state"] for row in record["components"]} == dict.fromkeys(edges, "done")
    (vocabulary,) = job.root.glob("artifacts/SequenceTransform/transform_graph/*/vocabulary.txt")
    words = vocabulary.read_text().split()
    assert ("first" in words, "second" in words) == (True, False)
    assert json.loads((job.root / "summary.json").read_text()) == record
