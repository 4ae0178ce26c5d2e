"""What a job reads of its transform graph."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from trainer.jobs.job import TrainingJob
from trainer.settings import TransformSettings


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    names = [field.name for field in dataclasses.fields(TrainingJob)]
    return TrainingJob(
        **{**dict.fromkeys(names, ""), "train_files": [], "eval_files": [], "transform_graph": str(tmp_path)}
    )


def test_settings_and_kind_are_those_that_the_graph_was_made_with(job: TrainingJob, tmp_path: Path) -> None:
    settings = TransformSettings.model_validate({"max_size": 77, "lowercase": False, "truncate": {"to": 5}})
    (tmp_path / "settings.json").write_text(json.dumps({**settings.model_dump(), "kind": "text"}))
    assert (job.transform_settings, job.kind) == (settings, "text")


def test_a_setting_that_is_not_known_is_not_left_out(job: TrainingJob, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({**TransformSettings().model_dump(), "kind": "text", "no": 1}))
    with pytest.raises(ValueError, match="no"):
        _ = job.transform_settings


def test_files_of_the_graph(job: TrainingJob, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("caf\u00e9\nbad\n", encoding="utf-8")
    assert job.text("labels.txt") == "caf\u00e9\nbad\n"
    assert job.graph == f"{tmp_path}/transform_fn"
