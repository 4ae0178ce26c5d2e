"""Reading the transform graph of a job, and the entry point of the Trainer."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from trainer.data import kinds
from trainer.jobs.entry_point import run_fn
from trainer.jobs.training_job import TrainingJob
from trainer.jobs.training_task import TrainingTask
from trainer.settings import Settings, TransformSettings


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


class Plain(TrainingTask[Settings]):
    settings = Settings

    def run(self, job: TrainingJob, settings: Settings) -> None:
        Path(job.checkpoints).mkdir(parents=True)


PLAIN = Plain()


def test_the_entry_point_needs_no_setting_and_removes_the_checkpoints(tmp_path: Path) -> None:
    custom = {"training": f"{__name__}:PLAIN", "settings": "{}", "checkpoints": str(tmp_path / "cut"), "code": ""}
    files = [str(tmp_path / "a.gz")]
    Path(files[0]).touch()
    values = dict.fromkeys(
        ("transform_output", "model_run_dir", "serving_model_dir", "hyperparameters", "base_model"), ""
    )
    run_fn(SimpleNamespace(custom_config=custom, train_files=files, eval_files=files, **values))
    assert [path.name for path in tmp_path.iterdir()] == ["a.gz"]
