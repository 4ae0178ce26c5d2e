"""Settings of training: short and long forms, rejected values, and the forms in a job's JSON and YAML."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.tasks import loading
from trainer.errors import JobError
from trainer.training.optimization.optimizer_settings import OptimizerSettings
from trainer.training.optimization.schedule_settings import ScheduleSettings
from trainer.training.settings import TrainingSettings

YAML = """\
name: small
task: classifier
corpus: {format: csv, path: data.csv, text: body, label: stars, source: site, id: key, labels: [bad, good]}
trainer:
  optimizer: adamw
  schedule: cosine
  warmup: 0.1
"""
OPTIMIZERS, SCHEDULES = OptimizerSettings.defaults, ScheduleSettings.defaults
CHOICES = [(key, name, all_) for key, all_ in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)) for name in all_]


def load(folder: Path, text: str) -> Any:
    (folder / "job.yaml").write_text(text)
    return loading.load(folder / "job.yaml")


@pytest.mark.parametrize(("key", "name", "defaults"), CHOICES)
def test_a_name_is_short_for_a_section_and_its_keys_survive_json(key: str, name: str, defaults: dict) -> None:
    momentum = {"momentum": 0.5} if name == "sgd" else {}
    settings = TrainingSettings.model_validate({key: {"name": name, **defaults[name], **momentum}})
    assert TrainingSettings.model_validate_json(settings.model_dump_json(), strict=True) == settings
    assert getattr(settings, key).constants() == {**defaults[name], **momentum}
    short, long = (TrainingSettings.model_validate({key: value}) for value in (name, {"name": name}))
    assert short == long
    assert getattr(short, key).constants() == defaults[name]


WRONG = [
    ({"optimizer": {"momentum": 0.9}}, "Optimizer adam has no key momentum.* set name to sgd or rmsprop"),
    ({"optimizer": {"name": "adam", "weight_decay": 0.01}}, "no key weight_decay.* set name to adamw"),
    ({"optimizer": {"name": "sgd", "nesterov": True}}, "nesterov needs momentum.* set momentum"),
    ({"schedule": {"factor": 0.5}}, "Schedule linear has no key factor.* set name to step or reduce_on_plateau"),
    ({"schedule": {"name": "constant", "end": 0.5}}, "constant has no key end.* expected: none"),
    ({"schedule": "one_cycle", "warmup": 0.1}, "warmup cannot be combined with schedule one_cycle"),
    ({"warmup": 1.5}, "warmup is not a whole number of steps.* found: 1.5"),
    ({"schedule": {"name": "reduce_on_plateau", "patience": 2}}, "cannot take effect .*schedule.patience 2, patien"),
    ({"class_weights": "balansed"}, "neither balanced nor a mapping"),
    ({"class_weights": {"good": -1}}, "neither balanced nor a mapping"),
    ({"class_weights": {}}, "neither balanced nor a mapping"),
    ({"precision": "float16", "strategy": "mirrored"}, "float16 needs strategy one_device"),
]


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_wrong_combinations_are_rejected_with_one_message(values: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        TrainingSettings.model_validate(values)
    assert caught.value.error_count() == 1


def test_yaml_takes_names_and_sections(tmp_path: Path) -> None:
    section = YAML.replace("adamw", "{name: sgd, momentum: 0.9, nesterov: true}")
    found = load(tmp_path, section + "  class_weights: {good: 2, bad: 0.5}\n").trainer
    assert found.optimizer.constants() == {"momentum": 0.9, "nesterov": True}
    assert (found.schedule.name, found.warmup, found.class_weights) == ("cosine", 0.1, {"good": 2.0, "bad": 0.5})


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("adamw", "rmsprob", ["trainer.optimizer", "job.yaml:5", "did you mean rmsprop?"]),
        ("adamw", "{name: sgd, momentun: 0.9}", ["trainer.optimizer.momentun is unknown", ":5", "mean momentum?"]),
        ("adamw", "{name: adam, momentum: 0.9}", ["trainer.optimizer.momentum", "has no key momentum", "job.yaml:5"]),
        ("cosine", "{name: step, after: 0}", ["trainer.schedule.after", "job.yaml:6", "above 0"]),
        ("cosine", "7", ["trainer.schedule", "job.yaml:6"]),
        (YAML, YAML + "  class_weights: {good: 2, bed: 1}\n", ["unknown class", "job.yaml:8", "did you mean bad?"]),
        ("  warmup: 0.1", "  class_weights: all", ["trainer.class_weights is not valid", "job.yaml:7"]),
    ],
)
def test_a_wrong_key_is_an_error_with_its_line(tmp_path: Path, old: str, new: str, parts: list[str]) -> None:
    with pytest.raises(JobError) as caught:
        load(tmp_path, YAML.replace(old, new))
    assert " errors in " not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_the_schema_of_a_job_describes_every_key() -> None:
    schemas = loading.json_schema()["$defs"]
    for name in ("OptimizerSettings", "ScheduleSettings"):
        assert all("description" in field for field in schemas[name]["properties"].values())
    names = {"type": "string", "enum": list(OPTIMIZERS)}
    assert names in schemas["ClassifierSettings"]["properties"]["optimizer"]["anyOf"]
