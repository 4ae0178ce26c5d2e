"""`seqloom run`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.executing import execute
from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ConfigPath, NoCache, Overrides, RootPath, checked_job
from pipeline.config.job import Job
from pipeline.tasks.registry import task_of
from trainer.errors import JobError
from trainer.text.suggestions import closest


def run(
    config: ConfigPath,
    root: RootPath = None,
    overrides: Overrides = None,
    until: Annotated[str | None, typer.Option(metavar="COMPONENT", help="Stop after this component.")] = None,
    no_cache: NoCache = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the job, corpus and model without training or publishing.")
    ] = False,
) -> None:
    """Runs a job: reads its corpus, trains and evaluates a model, and publishes it if it passes the gates.

    Exit codes: 0 success; 1 failed; 2 usage error; 3 the model did not pass its gates; 130 interrupted.
    """
    with exits_with(USAGE):
        job = checked_job(config, overrides)
        _check_component(until, job)
        if dry_run and until is not None:
            raise JobError("--dry-run and --until cannot be combined.", found=until, fix="give one of the two")
    execute(job, root, "check" if dry_run else "publish", until, use_cache=not no_cache)


def _check_component(until: str | None, job: Job) -> None:
    components = task_of(job).components(job)
    if until is not None and until not in components:
        near = closest(until, components)
        raise JobError(
            f"A {job.task} job has no component {until}.",
            where="--until",
            expected=", ".join(components),
            fix=f"did you mean {near}?" if near else None,
        )
