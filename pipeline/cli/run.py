"""`seqloom run`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from pipeline.cli.executing import execute, execute_step
from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ConfigPath, NoCache, Overrides, RootPath, checked_job, require_component
from pipeline.config.job import Job
from pipeline.runs.record import RUN_ID
from pipeline.tasks.loading import load
from pipeline.tasks.registry import task_of
from trainer.errors import JobError

Until = Annotated[str | None, typer.Option(metavar="COMPONENT", help="Stop after this component.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check the job, corpus and model without training or publishing.")
]
Only = Annotated[
    str | None,
    typer.Option(metavar="COMPONENTS", help="Run only these components of the run --run-id, separated by commas."),
]
RunId = Annotated[
    str | None, typer.Option("--run-id", metavar="ID", help="The run that --only continues, or starts if it is new.")
]


def run(
    config: ConfigPath,
    root: RootPath = None,
    overrides: Overrides = None,
    until: Until = None,
    no_cache: NoCache = False,
    dry_run: DryRun = False,
    only: Only = None,
    run_id: RunId = None,
) -> None:
    """Runs a job: reads its corpus, trains and evaluates a model, and publishes it if it passes the gates.

    Exit codes: 0 success; 1 failed; 2 usage or configuration error; 3 the model did not pass its gates; 75 failed for a
    passing reason, to be retried; 130 interrupted.
    """
    with exits_with(USAGE):
        _check_options(until, only, run_id, dry_run=dry_run)
        if only is not None and run_id is not None:
            # What a run was prepared with is used by all its steps, so the files need not exist any more.
            job = load(config, overrides or ())
            components = _components(only, job)
        else:
            job = checked_job(config, overrides)
            if until is not None:
                require_component(until, job, "--until")
    if only is not None and run_id is not None:
        execute_step(job, root, run_id, components, use_cache=not no_cache)
    execute(job, root, "check" if dry_run else "publish", until, use_cache=not no_cache)


def _check_options(until: str | None, only: str | None, run_id: str | None, *, dry_run: bool) -> None:
    if dry_run and until is not None:
        raise JobError("--dry-run and --until cannot be combined.", found=until, fix="give one of the two")
    if (only is None) != (run_id is None):
        given, missing = ("--run-id", "--only") if only is None else ("--only", "--run-id")
        raise JobError(f"{given} needs {missing}.", fix=f"add {missing}, or remove {given}")
    if only is not None and (dry_run or until is not None):
        other = "--dry-run" if dry_run else "--until"
        raise JobError(f"--only and {other} cannot be combined.", found=only, fix="give one of the two")
    if run_id is not None and not re.fullmatch(RUN_ID, run_id):
        raise JobError(
            "The run id has invalid characters.",
            where="--run-id",
            found=ascii(run_id)[1:-1],
            expected="up to 128 letters, digits and characters of . _ : + ~ @ = -, the first a letter or digit",
        )


def _components(only: str, job: Job) -> tuple[str, ...]:
    """Returns the components that --only names, in the order of the job."""
    wanted = [name.strip() for name in only.split(",")]
    for name in wanted:
        require_component(name, job, "--only")
    return tuple(name for name in task_of(job).components(job) if name in wanted)
