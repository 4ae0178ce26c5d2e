"""Loads a job from its YAML file."""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, create_model

from pipeline.config import source as yaml_source
from pipeline.config import validation_errors
from pipeline.config.job import Job
from pipeline.tasks.gate_checks import gate_problems
from pipeline.tasks.registry import TASKS, task_of
from pipeline.tasks.resource_checks import resource_problems
from trainer.errors import JobError, Problem
from trainer.settings import COLLECT
from trainer.text.suggestions import closest

_AS_WRITTEN = {("corpus", key) for key in ("header", "labels", "split_values", "tags", "text")}
"""Lists and mappings of values in the corpus, which may look like numbers or booleans."""

JOBS: dict[str, type[Job]] = {name: task.job for name, task in TASKS.items()}

_ABOUT = "; ".join(f"{name}: {task.about}" for name, task in TASKS.items())
_TASK: Any = (Literal[tuple(TASKS)], Field(description=f"What is trained. {_ABOUT}."))
_TaskKey = create_model("_TaskKey", task=_TASK)
"""The model of the key that determines how the others are read."""


def load(path: Path, overrides: Sequence[str] = ()) -> Job:
    """Loads a job from its YAML and `KEY.PATH=VALUE` overrides, as an instance of its task's class.

    Raises:
        JobError: With all problems, each with its file and line or its override.
    """
    source = yaml_source.read(path, _AS_WRITTEN)
    yaml_source.override(source, overrides)
    problems = list(source.problems)
    task, unknown = _task(source)
    try:
        # Sections with problems are read too, so that the checks across sections can run.
        job = _read_as(task, source, COLLECT)
    except ValidationError as error:
        problems += validation_errors.explain(_error(task, source) or error, source, JOBS[task], JOBS)
    else:
        problems += validation_errors.located(_problems(job), source)
    problems += unknown
    if problems:
        raise validation_errors.combine(str(path), problems)
    return job.loaded_from(path.absolute())


def json_schema() -> dict[str, Any]:
    """Returns the JSON schema of a job's YAML, for editors and other tools."""
    union: Any = functools.reduce(operator.or_, JOBS.values())
    return TypeAdapter(Annotated[union, Field(discriminator="task")]).json_schema(by_alias=True)


def _task(source: yaml_source.Source) -> tuple[str, list[JobError]]:
    """Returns the task of a job, or the most likely one together with the problems of the key."""
    try:
        key: Any = _TaskKey.model_validate(source.data, strict=True)
        return key.task, []
    except ValidationError as error:
        similar = closest(str(source.data.get("task", "")), TASKS)
        errors = {name: _error(name, source) for name in TASKS}
        likely = similar or min(errors, key=lambda name: len(found.errors()) if (found := errors[name]) else 0)
        return likely, validation_errors.explain(error, source, _TaskKey)


def _read_as(task: str, source: yaml_source.Source, context: str | None = None) -> Job:
    # Strict JSON: a list may become a tuple, but "3" and true are not numbers.
    text = json.dumps({**source.data, "task": task})
    return JOBS[task].model_validate_json(text, strict=True, context=context)


def _error(task: str, source: yaml_source.Source) -> ValidationError | None:
    try:
        _read_as(task, source)
    except ValidationError as error:
        return error
    return None


def _problems(job: Job) -> Iterator[Problem]:
    """Yields the keys of a job that are valid alone but not together, including its gates."""
    found = list(job.all_problems())
    yield from found
    # What the task says about a gate is more specific.
    known = {problem.path for problem in found}
    yield from resource_problems(job)
    yield from (one for one in gate_problems(job, task_of(job).metrics(job)) if one.path not in known)
