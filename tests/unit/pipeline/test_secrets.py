"""Secrets of a job stay out of what is shown and logged."""

import subprocess
import sys
from pathlib import Path

import ruamel.yaml
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config.secrets import masked_flags, secrets
from trainer.errors import JobError

ROOT = Path(__file__).parents[3]
FLAGS = [
    "--api_token=t0ken",
    "--s3_secret_access_key",
    "k3y",
    "--region=eu",
    "--password=",
    "--proxy=http://me:p4ss@host/x",
]
FLAGS += ["--streaming", "https://me@host/a:b"]
LOGGED = """
import logging, pathlib, sys
from pipeline.runs.redirect import redirect_output
with redirect_output(pathlib.Path(sys.argv[1]), sys.argv[2:]):
    logging.getLogger("beam").info("Discarding %s", ["--api_token=t0ken", "--a=k3y", "--b=k3y2", "s3://me:p4ss@host"])
"""


def test_flags_are_masked_by_their_names_and_by_urls():
    assert masked_flags(FLAGS) == [
        "--api_token=***",
        "--s3_secret_access_key",
        "***",
        "--region=eu",
        "--password=***",
        "--proxy=http://***@host/x",
        "--streaming",
        "https://me@host/a:b",
    ]
    assert list(secrets(FLAGS)) == ["t0ken", "k3y", ""]
    assert masked_flags(["--token", "--other", "value"]) == ["--token", "--other", "value"]


def test_errors_show_no_password():
    error = JobError("No file.", where="s3://me:p4ss@host/a.csv", found="s3://me:@host https://host:80/@x")
    assert str(error) == "No file.\n  where: s3://***@host/a.csv\n  found: s3://***@host https://host:80/@x"


def test_a_shown_configuration_has_no_secrets(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(
        "name: small\ntask: classifier\ncorpus: {format: csv, path: 's3://me:p4ss@host/a.csv', label: l}\n"
        f"beam: {{options: {FLAGS}}}\n"
    )
    shown = CliRunner().invoke(app.app, ["config", "show", str(path)]).stdout
    assert ruamel.yaml.YAML(typ="safe", pure=True).load(shown)["beam"]["options"] == masked_flags(FLAGS)
    assert "s3://***@host/a.csv" in shown


def test_the_log_has_no_secrets(tmp_path):
    command = [sys.executable, "-c", LOGGED, str(tmp_path / "run.log"), "k3y", "", "k3y2", "t0ken"]
    subprocess.run(command, cwd=ROOT, check=True)
    (line,) = (tmp_path / "run.log").read_text().splitlines()
    assert line.endswith("Discarding ['--api_token=***', '--a=***', '--b=***', 's3://***@host']")
