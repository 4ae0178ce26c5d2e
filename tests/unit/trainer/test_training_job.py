"""Reading the transform graph of a job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.data import kinds
from trainer.jobs.training_job import TrainingJob
from trainer.settings import TransformSettings


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    return TrainingJob([], [], str(tmp_path))


def test_settings_and_kind_are_those_of_the_graph(job: TrainingJob, tmp_path: Path) -> None:
    values = {"tokenizer": "subwords", "reserved": ["<user>"], "pad": {"to": 9, "side": "left"}, "bos": "segment"}
    settings = TransformSettings.model_validate({**values, "truncate": {"to": 9}, "strip_html": True, "nfkc": True})
    (tmp_path / "settings.json").write_text(json.dumps({**settings.model_dump(), "kind": "text"}))
    assert (job.transform_settings, job.kind) == (settings, kinds.PLAIN_TEXT)


def test_an_unknown_setting_is_an_error(job: TrainingJob, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({**TransformSettings().model_dump(), "kind": "text", "no": 1}))
    with pytest.raises(ValueError, match="no"):
        _ = job.transform_settings


def test_files_of_the_graph(job: TrainingJob, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("caf\u00e9\nbad\n", encoding="utf-8")
    assert job.text("labels.txt") == "caf\u00e9\nbad\n"
    assert job.graph == f"{tmp_path}/transform_fn"
