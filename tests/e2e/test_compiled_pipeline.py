"""A compiled pipeline of Kubeflow: its containers as processes, beside a run of all components."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import kubeflow
from tests.e2e import killed_once
from tests.e2e.conftest import Job, Ran
from tests.e2e.test_steps import RESULTS, comparable, contents

pytestmark = pytest.mark.slow

IMAGE = f"registry.example/seqloom@sha256:{'0' * 64}"
RUN_ID = "5f7b1c3e-0d7c-4f0e-8a2b-6f1d2c3b4a59"


def test_the_containers_of_a_pipeline_have_the_results_of_a_whole_run(
    new_job: Callable[..., Job], ran: Callable[..., Ran], tmp_path: Path
) -> None:
    job = new_job("kubeflow", count=500)
    volume, program = tmp_path / "volume", f"env PYTHONPATH={job.code} {sys.executable} -m pipeline.cli"
    killing = f"{sys.executable} {killed_once.__file__} {tmp_path / 'killed'} {program}"
    place = ("--image", IMAGE, "--root", "/shared/tiny", "--command", killing)
    compiling = job.seqloom("compile", "job.yaml", "--to", "kubeflow", *place)
    assert (compiling.returncode, compiling.stderr) == (0, "")
    arguments = {"config": str(job.folder / "job.yaml"), "root": "/shared/tiny/kubeflow", "epochs": "4"}
    codes = kubeflow.run(compiling.stdout, RUN_ID, volume, arguments)
    whole = ran(job, "--set", "trainer.epochs=4")
    assert codes == {**{name: [0] for name in whole.states}, "Trainer": [-signal.SIGKILL, 0]}
    root = volume / "kubeflow"
    for component in RESULTS:
        assert contents(root, component) == contents(job.root, component)
    record = json.loads((root / "summary.json").read_text())
    assert record["run_id"] == RUN_ID
    assert record["details"]["training"].pop("resumed_after_epoch") >= 1
    whole.record["details"]["training"].pop("resumed_after_epoch")
    for one in (record, whole.record):
        one.pop("config"), one.pop("pushed"), one["details"].pop("tensorboard")
    assert comparable(record) == comparable(whole.record)
