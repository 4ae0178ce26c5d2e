"""`seqloom compile --to airflow`: the file, its commands, and what a real Airflow makes of it."""

from __future__ import annotations

import ast
import datetime
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.deploy.airflow_dag import AirflowTimes, airflow_dag
from pipeline.deploy.deployment import Deployment
from pipeline.runs.record import RUN_ID
from tests import compiled

GOLDEN = Path(__file__).with_name("airflow_dag.txt")
DATES = 'name: daily\ntask: dataset\ncorpus: {format: text, path: "{YYYY}-{MM}-{DD}.txt"}\n'
PLAIN = "name: plain\ntask: classifier\ncorpus: {format: csv, path: data.csv, label: stars}\n"
SCHEDULE = ("--schedule", "15 2 * * 1-5", "--timezone", "Europe/London", "--days-back", "1")
PLACE = ("--root", "/shared/daily", "--command", "/opt/seqloom/bin/seqloom", "--set", "transform.min_count=1")
NIGHT = datetime.datetime(2026, 7, 1, 23, 30, tzinfo=datetime.timezone.utc)
"""In London it is the next day."""

IN_AIRFLOW = """\
import json, runpy, sys

dag = runpy.run_path(sys.argv[1])["dag"]

def outcome(script):
    task = dag.get_task("SchemaGen")
    task.command = ["sh", "-c", script]
    try:
        task.execute({})
    except Exception as error:
        return type(error).__name__

edges = {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}
ends = [f"exit {code}" for code in (0, 1, 2, 3, 75, 130, 137)] + ["kill -TERM $$", "kill -KILL $$", "kill -INT $$"]
outcomes = {end: outcome(end) for end in ends}
runs = [dag.max_active_runs, dag.catchup, dag.timetable.summary]
print("\\n" + json.dumps([dag.dag_id, edges, outcomes, runs]))
"""


@pytest.fixture
def invoke(tmp_path: Path) -> Callable[..., Result]:
    """Compiles a job of a YAML."""
    (tmp_path / "2026-01-01.txt").write_text("text\n")
    (tmp_path / "data.csv").write_text("text,stars\nfine,1\n")

    def run(text: str, *options: str) -> Result:
        (tmp_path / "job.yaml").write_text(text)
        return CliRunner().invoke(app, ["compile", str(tmp_path / "job.yaml"), "--to", "airflow", *options])

    return run


@pytest.fixture
def dag_file(invoke: Callable[..., Result], tmp_path: Path) -> Path:
    path = tmp_path / "dags" / "daily.py"
    done = invoke(DATES, *PLACE, *SCHEDULE, "-o", str(path))
    assert (done.exit_code, done.output) == (0, "")
    return path


def test_the_file_is_the_expected_one(dag_file: Path, tmp_path: Path) -> None:
    assert dag_file.read_text().replace(str(tmp_path), "/jobs") == GOLDEN.read_text()


def test_without_an_output_the_file_is_printed(invoke: Callable[..., Result], dag_file: Path) -> None:
    assert invoke(DATES, *PLACE, *SCHEDULE).stdout == dag_file.read_text()


def test_the_file_imports_only_airflow_and_the_standard_library(dag_file: Path) -> None:
    names: list[str] = []
    for node in ast.walk(ast.parse(dag_file.read_text())):
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names == {"airflow"}


def test_each_command_has_the_run_and_the_span_of_its_time(dag_file: Path, tmp_path: Path) -> None:
    found = compiled.commands(dag_file.read_text(), "scheduled__2026-07-01T23:30:00+00:00", NIGHT)
    span = (datetime.date(2026, 7, 1) - datetime.date(1970, 1, 1)).days
    assert found["StatisticsGen"] == [
        *("/opt/seqloom/bin/seqloom", "run", str(tmp_path / "job.yaml"), "--root", "/shared/daily"),
        *("--set", "transform.min_count=1", "--run-id", "scheduled__2026-07-01T23:30:00+00:00"),
        *("--set", f"corpus.span={span}", "--only", "StatisticsGen"),
    ]


def test_a_job_without_spans_and_schedule(invoke: Callable[..., Result]) -> None:
    text = invoke(PLAIN, "--root", "/shared/plain").stdout
    assert "schedule=None" in text
    assert "corpus.span" not in text
    program, *rest = compiled.commands(text, "manual__1", NIGHT)["Pusher"]
    assert Path(program).is_absolute()
    assert rest[-4:] == ["--run-id", "manual__1", "--only", "Pusher"]


@given(st.text(max_size=40) | st.text("AZaz09._:+~@=-", max_size=140), st.text(max_size=40))
def test_every_run_has_an_id_that_seqloom_takes_and_no_other_run_has(one: str, other: str) -> None:
    step_run_id = compiled.parts(GOLDEN.read_text())["step_run_id"]
    assert re.fullmatch(RUN_ID, step_run_id(one))
    assert (step_run_id(one) == step_run_id(other)) == (one == other)
    assert step_run_id(one) == one or not re.fullmatch(RUN_ID, one)


@given(st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("{}%#'\"\\$"), max_size=20))
def test_airflow_takes_no_word_for_a_template(word: str) -> None:
    word = f"{word.rstrip()}."
    deployment = Deployment("a", (), ("seqloom",), word, "/root", (), has_span=False, epochs=None)
    text = airflow_dag(deployment, AirflowTimes(None, "UTC", 0), None, NIGHT)
    (command,) = {*map(tuple, compiled.commands(text + "UPSTREAM = ['a']\n", "b", NIGHT).values())}
    # Jinja makes one kind of line end of all.
    assert command[2] == word.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (PLAIN, ("--days-back", "1"), "--days-back needs a corpus with spans.\n"),
        (DATES, ("--set", "corpus.span=4"), "corpus.span cannot be fixed here.\n"),
        (DATES, ("--schedule", "x"), "The cron expression is invalid.\n"),
        (DATES, ("--timezone", "Mars"), "The time zone is unknown.\n"),
        (DATES, ("--schedule", "0 3 L * *"), "L and # in 0 3 L * * cannot be converted for Airflow."),
        (DATES, ("--schedule", "15 2 * * *", "--timezone", "Europe/Berlin"), "Airflow leaves out or repeats a time of"),
        (DATES, ("--image", "seqloom:latest"), "The image has no digest.\n"),
        (DATES, ("--claim", "models"), "--claim needs an image.\n"),
        (DATES, ("--command", "'a"), "The command is invalid.\n"),
        (DATES, ("--command", " "), "The command is empty.\n"),
        (PLAIN, ("--set", "trainer.strategy=multi_worker"), "A training by several workers cannot be compiled.\n"),
        (PLAIN, ("-o", "/dev/null/dag.py"), "The file cannot be written.\n"),
    ],
)
def test_usage_errors(invoke: Callable[..., Result], text: str, options: tuple[str, ...], message: str) -> None:
    done = invoke(text, *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


def airflow(*arguments: object, home: Path) -> Any:
    """What a script prints in the Python of a real Airflow, as JSON."""
    python = os.environ.get("SEQLOOM_AIRFLOW")
    if python is None:
        pytest.skip("SEQLOOM_AIRFLOW does not name the Python of an environment with Airflow")
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "PYTHONWARNINGS": "error::DeprecationWarning:dag"}
    command = [python, "-c", IN_AIRFLOW, *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_real_airflow_reads_the_file_and_retries_only_what_may_pass(dag_file: Path, tmp_path: Path) -> None:
    name, edges, outcomes, runs = airflow(dag_file, home=tmp_path)
    assert name == "seqloom-daily"
    assert edges == {key: sorted(before) for key, before in compiled.parts(GOLDEN.read_text())["UPSTREAM"].items()}
    retried = ("exit 75", "exit 137", "kill -TERM $$", "kill -KILL $$")
    failed = ("exit 1", "exit 2", "exit 130", "kill -INT $$")
    ended = {**dict.fromkeys(retried, "RuntimeError"), **dict.fromkeys(failed, "AirflowFailException")}
    assert outcomes == {"exit 0": None, "exit 3": None, **ended}
    assert runs == [1, False, "15 2 * * 1,2,3,4,5"]
