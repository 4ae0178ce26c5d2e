"""`seqloom plan`, and the resources of a job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app

ROOT = Path(__file__).parents[3]
YAML = "name: small\ntask: classifier\ncorpus: {format: csv, path: data.csv, label: stars}\n"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text("text,stars\nfine,1\n")
    path = tmp_path / "job.yaml"
    path.write_text(YAML + "resources:\n  Trainer: {cpu: 2.5, memory: 16, gpu: 1}\n")
    return path


def plan(job: Path, *options: str) -> dict[str, dict[str, Any]]:
    result = CliRunner().invoke(app, ["plan", str(job), "--json", *options])
    assert result.exit_code == 0, result.output
    return {component.pop("name"): component for component in json.loads(result.stdout)}


def test_a_plan_has_the_components_in_order_with_their_edges_and_resources(job: Path) -> None:
    found = plan(job, "--set", "baselines=off")
    data = ["CorpusExampleGen", "StatisticsGen", "SchemaGen", "PreviousStatistics", "ExampleValidator"]
    assert list(found) == [*data, "SequenceTransform", "Trainer", "Baseline", "Evaluator", "Pusher"]
    assert found["Trainer"] == {"upstream": ["SequenceTransform"], "resources": {"cpu": 2.5, "memory": 16.0, "gpu": 1}}
    assert found["Pusher"] == {"upstream": ["CorpusExampleGen", "Trainer", "Evaluator"], "resources": {"gpu": 0}}


def test_in_a_new_root_everything_runs(job: Path, tmp_path: Path) -> None:
    found = {name: one["cache"] for name, one in plan(job, "--root", str(tmp_path / "new")).items()}
    assert found["CorpusExampleGen"] == found["SchemaGen"] == "runs"
    assert {found[name] for name in ("StatisticsGen", "PreviousStatistics", "Trainer", "Pusher")} == {
        "depends on CorpusExampleGen"
    }
    assert not (tmp_path / "new").exists()


def test_a_plan_is_a_table_for_people(job: Path) -> None:
    result = CliRunner().invoke(app, ["plan", str(job)])
    (line,) = [line.split() for line in result.stdout.splitlines() if line.startswith(" Trainer")]
    assert line == ["Trainer", "SequenceTransform", "2.5", "CPU,", "16", "GiB,", "1", "GPU"]


def test_a_plan_without_a_root_imports_no_tensorflow(job: Path) -> None:
    code = "import sys; from typer.testing import CliRunner; from pipeline.cli.app import app\n"
    code += f"CliRunner().invoke(app, ['plan', {str(job)!r}])\nprint({{'tensorflow', 'tfx'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("resources.Traner.gpu=1", "did you mean resources.Trainer?"),
        ("resources.Trainer.gpu=65", "resources.Trainer.gpu"),
        ("resources.Trainer.cpu=0", "resources.Trainer.cpu"),
        ("resources.Trainer.memory=lots", "resources.Trainer.memory"),
        ("resources.Trainer.disk=1", "resources.Trainer.disk"),
    ],
)
def test_invalid_resources_are_refused(job: Path, value: str, message: str) -> None:
    result = CliRunner().invoke(app, ["plan", str(job), "--set", value])
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "Trainer"], "--only needs --run-id."),
        (["--run-id", "a"], "--run-id needs --only."),
        (["--run-id", "a", "--only", "Trainr"], "did you mean Trainer?"),
        (["--run-id", "a", "--only", "Trainer,"], "no component ."),
        (["--run-id", "../a", "--only", "Trainer"], "The run id has invalid characters."),
        (["--run-id", "a", "--only", "Trainer", "--until", "Trainer"], "--only and --until cannot be combined."),
        (["--run-id", "a", "--only", "Trainer", "--dry-run"], "--only and --dry-run cannot be combined."),
    ],
)
def test_options_of_steps_that_make_no_sense_are_refused(job: Path, options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["run", str(job), "--root", str(job.parent / "root"), *options])
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not (job.parent / "root").exists()
