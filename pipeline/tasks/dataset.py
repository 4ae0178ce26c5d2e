"""Datasets: jobs that end with checked and transformed examples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.job import Job
from pipeline.tasks.task import Task


class DatasetJob(Job):
    """A job that trains nothing."""

    task: Annotated[Literal["dataset"], Field(description="dataset: checked and transformed examples.")]


class DatasetTask(Task[DatasetJob]):
    """Checked and transformed examples, for training elsewhere."""

    name = "dataset"
    about = "nothing, only checked and transformed examples"
    job = DatasetJob


DATASET = DatasetTask()
