"""The typed configuration of a job, read from its YAML; imports nothing heavy, so that the command line starts fast."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from pipeline.config import source as yaml_source
from pipeline.config import validation_errors
from pipeline.config.classifier_job import ClassifierConfig
from pipeline.config.locations import resolve_corpus_path, resolve_file
from pipeline.config.run_config import (
    BEST_HYPERPARAMETERS,
    COMPONENTS,
    TASK,
    Goal,
    RunConfig,
    SupervisedConfig,
    TaskName,
)
from pipeline.config.sections import BeamSettings, GateSettings, ServingSettings, SliceGateSettings
from pipeline.config.suggestions import closest
from pipeline.config.tagger_job import TaggerConfig
from pipeline.config.word2vec_job import Word2vecConfig
from trainer.errors import JobError
from trainer.settings import COLLECT, IMPOSSIBLE

__all__ = [
    "BEST_HYPERPARAMETERS",
    "COMPONENTS",
    "TASKS",
    "BeamSettings",
    "ClassifierConfig",
    "DatasetConfig",
    "GateSettings",
    "Goal",
    "RunConfig",
    "ServingSettings",
    "SliceGateSettings",
    "SupervisedConfig",
    "TaggerConfig",
    "Word2vecConfig",
    "json_schema",
    "load",
    "resolve_corpus_path",
    "resolve_file",
]


class DatasetConfig(RunConfig):
    """A job that ends with validated and transformed examples."""

    task: Annotated[Literal["dataset"], TASK]


TASKS: Mapping[str, type[RunConfig]] = {
    "classifier": ClassifierConfig,
    "dataset": DatasetConfig,
    "tagger": TaggerConfig,
    "word2vec": Word2vecConfig,
}
"""The class of each task's jobs."""


class _TaskKey(BaseModel):
    """The key that decides which other keys are valid."""

    task: Annotated[TaskName, TASK]


def load(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Reads a job's YAML.

    Args:
        path: The file.
        overrides: `KEY.PATH=VALUE` texts that replace values of the file.

    Returns:
        The configuration, of the class of its task.

    Raises:
        JobError: With all errors, each with its file and line or its override.
    """
    source = yaml_source.read(path)
    yaml_source.override(source, overrides)
    problems = list(source.problems)
    task, unknown = _task(source)
    try:
        config = _read_as(task, source)
    except ValidationError as error:
        if all(details["type"] == IMPOSSIBLE for details in error.errors()):
            # Every value is valid alone, so the checks across sections can run too.
            found = _read_as(task, source, COLLECT).all_problems()
            problems += validation_errors.located(found, source)
        else:
            problems += validation_errors.explain(error, source, TASKS[task], TASKS)
    problems += unknown
    if problems:
        raise validation_errors.combine(path, problems)
    config._path = path.absolute()
    return config


def _task(source: yaml_source.Source) -> tuple[str, list[JobError]]:
    """Returns the task of a job; if it is not valid, the most likely one and the error."""
    try:
        return _TaskKey.model_validate(source.data, strict=True).task, []
    except ValidationError as error:
        similar = closest(str(source.data.get("task", "")), TASKS)
        likeliest = similar or min(TASKS, key=lambda task: _count_errors(task, source))
        return likeliest, validation_errors.explain(error, source, _TaskKey)


def _read_as(task: str, source: yaml_source.Source, context: str | None = None) -> RunConfig:
    # Strict JSON: a list may become a tuple, but "3" and true are not numbers.
    text = json.dumps({**source.data, "task": task})
    return TASKS[task].model_validate_json(text, strict=True, context=context)


def _count_errors(task: str, source: yaml_source.Source) -> int:
    try:
        _read_as(task, source)
    except ValidationError as error:
        return error.error_count()
    return 0


def json_schema() -> dict[str, Any]:
    """Returns the JSON schema of a job's YAML, for editors and other tools."""
    job = Annotated[ClassifierConfig | DatasetConfig | TaggerConfig | Word2vecConfig, Field(discriminator="task")]
    return TypeAdapter(job).json_schema(by_alias=True)
