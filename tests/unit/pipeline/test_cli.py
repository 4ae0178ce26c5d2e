"""The command line: output and exit codes. Runs themselves are tested end to end elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.events import sinks
from pipeline.runs import record as history
from pipeline.runs.state import RunState
from pipeline.tasks import loading

ROOT = Path(__file__).parents[3]
JOB = "name: small\ntask: classifier\ncorpus: {format: csv, path: data.csv, label: stars}\n"


@pytest.fixture
def job(tmp_path):
    (tmp_path / "data.csv").write_text("text,stars\n")
    path = tmp_path / "job.yaml"
    path.write_text(JOB)
    return path


def invoke(*arguments):
    return CliRunner().invoke(app.app, [str(argument) for argument in arguments], env={"COLUMNS": "80"})


def test_the_version_is_printed_outside_the_package_too(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipeline.cli", "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("seqloom ")
    text = invoke("--help").stdout
    assert all(f" {name} " in text for name in ("run", "tune", "predict", "runs", "config"))


def test_config_schema_and_check_print_the_json_schema_and_the_corpus(job, tmp_path):
    assert json.loads(invoke("config", "schema").stdout) == loading.json_schema()
    result = invoke("config", "check", job)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{job} is a valid classifier job. It reads {tmp_path}/data.csv\n"


def test_config_check_names_a_secret_that_is_not_set_and_a_package_that_is_missing(job, monkeypatch):
    hook = "events.webhook={url: 'http://127.0.0.1:9/', headers_from: {Authorization: HOOK_TOKEN}}"
    monkeypatch.delenv("HOOK_TOKEN", raising=False)
    missing = invoke("config", "check", job, "--set", hook)
    assert missing.exit_code == 2
    assert missing.stderr.startswith("The environment variable HOOK_TOKEN is not set.\n")
    assert "where: events.webhook.headers_from.Authorization\n" in missing.stderr
    monkeypatch.setenv("HOOK_TOKEN", "s3cret")
    found = invoke("config", "check", job, "--set", hook)
    assert (found.exit_code, found.stderr) == (0, "")
    assert "s3cret" not in invoke("config", "show", job, "--set", hook).stdout
    # As in an environment without the extra.
    monkeypatch.setitem(sinks.PACKAGES, "openlineage", "openlineage_that_is_not_installed")
    absent = invoke("config", "check", job, "--set", "events.openlineage={file: lineage.jsonl}")
    assert absent.exit_code == 2
    assert 'fix: pip install "seqloom[events]", or remove events.openlineage' in absent.stderr


@pytest.mark.parametrize("command", [["run"], ["config", "check"]])
@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("trainer.epoch=3", ["key trainer.epoch is unknown", "--set trainer.epoch=3", "did you mean epochs?"]),
        ("corpus.path=date.csv", ["corpus file does not exist", "job.yaml, corpus.path", "did you mean data.csv?"]),
        ("schema=text.pbtxt", ["schema file does not exist", "job.yaml, schema"]),
    ],
)
def test_an_invalid_job_exits_with_2_before_anything_starts(job, command, override, parts):
    result = invoke(*command, job, "--set", override)
    assert result.exit_code == 2
    assert [part for part in parts if part not in result.stderr] == []
    assert "Traceback" not in result.output
    assert sorted(path.name for path in job.parent.iterdir()) == ["data.csv", "job.yaml"]


WORDS = "name: words\ntask: word2vec\ncorpus: {format: csv, path: data.csv}\n"


@pytest.mark.parametrize(
    ("text", "command", "options", "parts"),
    [
        (JOB, "run", ["--until", "trainr"], ["did you mean Trainer?", "CorpusExampleGen, StatisticsGen"]),
        (JOB, "run", ["--dry-run", "--until", "Trainer"], ["--dry-run and --until cannot be combined"]),
        (JOB, "tune", [], ["The job has no hyperparameter search."]),
        (WORDS, "tune", [], ["A word2vec job has no hyperparameters to tune"]),
    ],
)
def test_a_command_that_does_not_fit_the_job_exits_with_2(job, text, command, options, parts):
    job.write_text(text)
    result = invoke(command, job, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert [part for part in parts if part not in result.stderr] == []


@pytest.mark.parametrize("arguments", [["run"], ["run", "a", "b"], ["frobnicate"], ["run", "--what"]])
def test_wrong_usage_exits_with_2(arguments):
    assert invoke(*arguments).exit_code == 2


def test_each_state_of_a_run_has_its_exit_code():
    assert {state.value: state.exit_code for state in RunState} == {
        **dict.fromkeys(("pushed", "unchanged", "done", "transformed", "tuned", "checked", "waiting"), 0),
        **{"not_blessed": 3, "withdrawn": 3, "failed": 1, "running": 1, "interrupted": 130},
    }


def test_runs_lists_the_runs(tmp_path):
    run = history.new_run(tmp_path, "small").updated(
        state="not_blessed",
        components=[history.ComponentRecord(name="StatisticsGen", state="cached")],
        metrics={"overall": {"accuracy": 0.7123}},
        verdict=history.Verdict(blessed=False, reasons=("accuracy 0.712 is below 0.85",)),
    )
    history.write(tmp_path, run)
    result = invoke("runs", tmp_path)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    parts = ("not blessed", "cached StatisticsGen", "overall 0.7123", "- accuracy 0.712 is below 0.85")
    assert [part for part in parts if part not in text] == []
    (record,) = json.loads(invoke("runs", tmp_path, "--json").stdout)
    assert history.RunRecord.model_validate(record) == run


def test_a_root_without_runs_is_reported(tmp_path):
    result = invoke("runs", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No runs found in this directory." in result.stderr
    assert invoke("runs", tmp_path / "none").exit_code == 2


@pytest.mark.parametrize("command", ["run", "plan", "why", "schedule", "backfill", "compile"])
def test_a_url_is_no_root(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text("name: x\n")
    result = invoke(command, "job.yaml", "--root", "gs://bucket/root")
    assert result.exit_code == 2
    assert "gs://bucket/root is a URL, but a root is a folder" in " ".join(result.stderr.replace("│", " ").split())
    assert [path.name for path in tmp_path.iterdir()] == ["job.yaml"]
