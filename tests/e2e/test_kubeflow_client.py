"""The client of Kubeflow Pipelines sends a compiled file as the documentation shows."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from tests import kubeflow

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "deploy.md"
DATES = """\
name: daily
task: classifier
corpus: {format: csv, path: "{YYYY}-{MM}-{DD}.csv", label: stars}
resources: {Trainer: {cpu: 4, memory: 16, gpu: 1}}
"""
IMAGE = f"registry.example/seqloom@sha256:{'0' * 64}"


@pytest.fixture
def python() -> str:
    found = os.environ.get("SEQLOOM_KFP")
    if found is None:
        pytest.skip("SEQLOOM_KFP does not name the Python of an environment with kfp and kfp-kubernetes")
    return found


def specification(text: str) -> dict[str, Any]:
    pipeline, executors = kubeflow.parts(text)
    platforms = {"kubernetes": {"deploymentSpec": {"executors": executors}}}
    return {"pipeline_spec": pipeline, "platform_spec": {"platforms": platforms}}


def without_empty(value: Any) -> Any:
    """Protocol buffers leave out what is empty."""
    if isinstance(value, dict):
        return {key: without_empty(each) for key, each in value.items() if each not in ({}, [], None)}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


def test_the_lines_of_the_documentation_upload_run_and_schedule_a_pipeline(python: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(DATES)
    (tmp_path / "2026-12-01.csv").write_text("text,stars\nfine,1\n")
    path = tmp_path / "pipeline.yaml"
    compiling = ["compile", str(tmp_path / "job.yaml"), "--to", "kubeflow", "--root", "/shared", "--image", IMAGE]
    assert CliRunner().invoke(app, [*compiling, "-o", str(path)]).exit_code == 0
    (block,) = re.findall(r"^    import kfp\n(?:(?:    .*)?\n)+", PAGE.read_text(), re.MULTILINE)
    lines = textwrap.dedent(block)
    with kubeflow.api() as api:
        lines = re.sub(r'host="[^"]+"', f'host="{api.address}"', lines)
        environment = {**os.environ, "HOME": str(tmp_path), "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            [python, "-c", lines], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    sent = {name: (query, content) for name, query, content in api.received}
    assert [name for name, _, _ in api.received] == [
        "pipelines/upload",
        "pipelines/upload_version",
        "runs",
        "recurringruns",
    ]
    assert sent["pipelines/upload"] == ({"name": ["seqloom-daily"]}, path.read_text())
    assert sent["pipelines/upload_version"] == ({"name": ["2"], "pipelineid": ["p1"]}, path.read_text())
    expected = without_empty(specification(path.read_text()))
    for name in ("runs", "recurringruns"):
        assert without_empty(sent[name][1]["pipeline_spec"]) == expected
        assert sent[name][1]["experiment_id"] == "e1"
    assert sent["runs"][1]["runtime_config"]["parameters"] == {"span": "20788", "epochs": "3"}
    schedule = sent["recurringruns"][1]
    assert schedule["trigger"]["cron_schedule"]["cron"] == "0 15 2 * * *"
    assert (schedule["max_concurrency"], schedule["no_catchup"], schedule["mode"]) == (1, True, "ENABLE")
