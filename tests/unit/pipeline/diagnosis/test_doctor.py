"""`seqloom doctor` on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.runs.lock import RootLock

ROOT = Path(__file__).parents[4]
YAML = "name: small\ntask: classifier\ncorpus: {format: csv, path: data.csv, label: stars}\n"


def doctor(*arguments: str | Path) -> tuple[int, dict[str, str]]:
    """The exit code, and each line by its name."""
    result = CliRunner().invoke(app, ["doctor", *map(str, arguments)])
    lines = [line.split(": ", 2) for line in result.stdout.splitlines()]
    return result.exit_code, {name: f"{state}: {found}" for state, name, found in lines}


def test_a_shipped_job_finds_what_it_needs(tmp_path: Path) -> None:
    code, found = doctor(ROOT / "configs" / "sentiment.yaml", "--root", tmp_path / "root")
    assert code == 0, found
    assert found["YAML"] == f"ok: {ROOT}/configs/sentiment.yaml, a valid classifier job"
    assert found["Corpus"] == "ok: 1 file, 34.6 MB"
    assert found["Root"] == f"ok: {tmp_path}/root, which a run creates"
    names = ["seqloom", "Python", "TFX", "TensorFlow", "Apache Beam", "Other libraries", "Byte code", "Cores", "Memory"]
    assert [name for name in found if name in names] == names
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_has_a_remedy_and_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "job.yaml"
    path.write_text(YAML + "beam: {engine: prism}\n")
    code, found = doctor(path, "--root", tmp_path / "root")
    assert code == 1
    assert found["Corpus"].startswith("missing: The corpus file does not exist: ")
    assert "; remedy: go install " in found["Beam engine"]


def test_the_root_of_a_job_is_that_of_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(YAML)
    (tmp_path / "data.csv").write_text("text,stars\nfine,1\n")
    with RootLock(Path("runs/small")):
        code, found = doctor("job.yaml")
    assert code == 0
    held = f"warning: runs/small is used by process {os.getpid()}; remedy: wait until it ends, or use another --root"
    assert found["Root"] == held


def test_an_invalid_or_missing_yaml_is_one_line_among_the_others(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    code, found = doctor(path)
    assert (code, found["YAML"].partition(":")[0]) == (1, "missing")
    path.write_text(YAML + "trainer: {units: -1, nothing: 3}\n")
    code, found = doctor(path)
    assert code == 1
    remedy = f"run `seqloom config check {path}`, which explains each error"
    assert found["YAML"] == f"missing: 2 errors in {path}; remedy: {remedy}"
    assert {"Python", "Disk"} <= found.keys()
    assert "Corpus" not in found


def test_a_driver_that_does_not_answer_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    code, found = doctor()
    assert code == 0
    assert found["GPU"].startswith("warning: nvidia-smi fails: exit code 9; remedy: reinstall")


def test_no_tensorflow_is_imported() -> None:
    code = "import sys; from typer.testing import CliRunner; from pipeline.cli.app import app\n"
    code += "CliRunner().invoke(app, ['doctor', 'configs/sentiment.yaml'])\n"
    code += "print({'tensorflow', 'tfx', 'apache_beam'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_working_folder_that_is_gone_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code, found = doctor("job.yaml")
    assert code == 1
    assert found["YAML"].startswith("missing: ")
    assert found["Disk"].startswith("warning: not checked: FileNotFoundError")
