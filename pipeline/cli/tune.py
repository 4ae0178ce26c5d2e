"""`seqloom tune`."""

from __future__ import annotations

from pathlib import Path

from pipeline.cli.executing import execute
from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ConfigPath, NoCache, Overrides, RootPath, checked_job
from pipeline.config.job import Job
from pipeline.tasks.registry import task_of
from trainer.errors import JobError


def tune(config: ConfigPath, root: RootPath = None, overrides: Overrides = None, no_cache: NoCache = False) -> None:
    """Searches the hyperparameters that the job's `tune` section declares, and lists the trials, best first.

    With `tune.use: true`, `seqloom run` takes the best ones from the same root.
    """
    with exits_with(USAGE):
        job = checked_job(config, overrides)
        _check_search(config, job)
    execute(job, root, "tune", None, use_cache=not no_cache)


def _check_search(config: Path, job: Job) -> None:
    task = task_of(job)
    if not task.learns(job):
        raise JobError(f"A {job.task} job has no hyperparameters to tune.", where=str(config))
    if task.search(job) is None:
        raise JobError(
            "The job has no hyperparameter search.",
            where=str(config),
            expected="a tune section with a space",
            fix="add tune: {space: {trainer.learning_rate: {min: 1e-4, max: 1e-2, scale: log}}}",
        )
