"""Arguments and options that several commands share, and the loading of a job."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config.job import Job
from pipeline.runs import prepare
from pipeline.tasks.loading import load
from pipeline.tasks.registry import task_of
from trainer.errors import JobError
from trainer.text.suggestions import closest

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def folder(value: str) -> Path:
    """Returns the path of a root; refuses URLs, which would become names of folders."""
    if _URL.match(value):
        raise typer.BadParameter(f"{value} is a URL, but a root is a folder: mount the bucket, and pass the mount.")
    return Path(value)


ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The job's YAML.", show_default=False)]
RootPath = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="PATH",
        parser=folder,
        help="The folder for artifacts, logs and models.",
        show_default="runs/<name>",
    ),
]
UsedRoot = Annotated[Path, typer.Argument(metavar="ROOT", help="The folder of the runs, e.g. runs/sentiment.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Run all components again, without cached results.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key, e.g. trainer.epochs=3; repeatable."),
]
ModelPath = Annotated[Path, typer.Argument(metavar="MODEL_OR_ROOT", help="A SavedModel, or the root of a run.")]
Number = Annotated[int, typer.Option("--k", min=1, help="Maximum number of answers.")]


def checked_job(config: Path, overrides: list[str] | None) -> Job:
    """Loads a job and checks that its files exist."""
    job = load(config, overrides or ())
    prepare.check_files(job, str(config))
    return job


def require_component(name: str, job: Job, where: str) -> None:
    """Checks that a job has a component, which the argument or option `where` names.

    Raises:
        JobError: If it has not.
    """
    components = task_of(job).components(job)
    if name not in components:
        near = closest(name, components)
        raise JobError(
            f"A {job.task} job has no component {name}.",
            where=where,
            expected=", ".join(components),
            fix=f"did you mean {near}?" if near else None,
        )
