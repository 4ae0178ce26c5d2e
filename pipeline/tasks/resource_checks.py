"""Checks that the resources of a job are those of its components."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from pipeline.config.job import Job
from pipeline.tasks.registry import task_of
from pipeline.tasks.task import Goal
from trainer.errors import Problem
from trainer.text.suggestions import did_you_mean


def resource_problems(job: Job) -> Iterator[Problem]:
    """Yields a problem for each key that names no component of any goal of the job's task."""
    task = task_of(job)
    names = list(dict.fromkeys(name for goal in get_args(Goal) for name in task.components(job, goal)))
    for name in job.resources:
        if name not in names:
            what = f"A {job.task} job has no component {name}."
            yield Problem(("resources", name), what, name, ", ".join(names), did_you_mean(name, names, "resources."))
