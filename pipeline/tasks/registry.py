"""The registry of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.config.job import Job
from pipeline.tasks.classifier import CLASSIFIER
from pipeline.tasks.dataset import DATASET
from pipeline.tasks.tagger import TAGGER
from pipeline.tasks.task import Task
from pipeline.tasks.word2vec import WORD2VEC
from trainer.data.kinds import CorpusKind

TASKS: Mapping[str, Task[Any]] = {task.name: task for task in (CLASSIFIER, DATASET, TAGGER, WORD2VEC)}
"""The tasks by their name in the YAML."""


def task_for(kind: CorpusKind) -> Task[Any]:
    """Returns the task that suits a kind of corpus."""
    return next(task for task in TASKS.values() if kind in task.suits)


def task_of(job: Job) -> Task[Any]:
    """Returns the task of a job."""
    return TASKS[job.task]
