"""Reading the transform graph of a job."""

import json
from pathlib import Path

import pytest

from trainer.data import kinds
from trainer.jobs.training_job import TrainingJob
from trainer.settings import TransformSettings


def test_settings_kind_and_files_come_from_the_graph(tmp_path: Path) -> None:
    job = TrainingJob([], [], str(tmp_path))
    values = {"tokenizer": "subwords", "reserved": ["<user>"], "pad": {"to": 9, "side": "left"}, "bos": "segment"}
    settings = TransformSettings.model_validate({**values, "truncate": {"to": 9}, "strip_html": True, "nfkc": True})
    section = {**settings.model_dump(), "kind": "text"}
    (tmp_path / "settings.json").write_text(json.dumps(section))
    assert (job.transform_settings, job.kind) == (settings, kinds.PLAIN_TEXT)
    (tmp_path / "settings.json").write_text(json.dumps({**section, "no": 1}))
    with pytest.raises(ValueError, match="no"):
        _ = job.transform_settings
    (tmp_path / "labels.txt").write_text("caf\u00e9\nbad\n", encoding="utf-8")
    assert job.text("labels.txt") == "caf\u00e9\nbad\n"
    assert job.graph == f"{tmp_path}/transform_fn"
