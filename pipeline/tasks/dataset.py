"""Datasets: jobs that end with checked and transformed examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.job import Job
from pipeline.tasks.gate_checks import gate_problems
from pipeline.tasks.task import Task
from trainer.errors import Problem


class DatasetJob(Job):
    """A job that trains nothing."""

    task: Annotated[Literal["dataset"], Field(description="dataset: checked and transformed examples.")]

    def problems(self) -> Iterator[Problem]:
        """Yields the keys that are valid alone but not together."""
        yield from super().problems()
        yield from gate_problems(self, {})


class DatasetTask(Task[DatasetJob]):
    """Checked and transformed examples, for training elsewhere."""

    name = "dataset"
    about = "nothing, only checked and transformed examples"
    job = DatasetJob


DATASET = DatasetTask()
