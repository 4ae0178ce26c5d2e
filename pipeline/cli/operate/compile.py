"""`seqloom compile`."""

from __future__ import annotations

import datetime
import enum
import shlex
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.operate.operating import own_program, require_spans
from pipeline.cli.options import ConfigPath, Overrides, RootPath, checked_job
from pipeline.config.job import Job
from pipeline.console.printing import visible
from pipeline.deploy.airflow_dag import AirflowTimes, airflow_dag
from pipeline.deploy.deployment import Deployment, check_single_processes
from pipeline.operate.cron_times import UTC, CronTimes
from pipeline.runners.planning import plan
from pipeline.runs import disk
from trainer.errors import JobError


class To(str, enum.Enum):
    """Systems that run the components of a job."""

    AIRFLOW = "airflow"


def compile_job(
    config: ConfigPath,
    _to: Annotated[To, typer.Option("--to", help="The system that runs the components.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file.", show_default="print it")
    ] = None,
    root: RootPath = None,
    overrides: Overrides = None,
    command: Annotated[
        str | None, typer.Option(help="How to call seqloom on the workers.", show_default="the path of this one")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(metavar="FIELDS", help='Five cron fields, e.g. "15 2 * * *".', show_default="none")
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="The time zone of the schedule and of spans, e.g. Europe/Berlin.")
    ] = "UTC",
    days_back: Annotated[
        int, typer.Option(min=0, max=3660, help="The span is that of so many days before the time of the run.")
    ] = 0,
) -> None:
    """Writes a file with which another system runs the components of a job, each as a task of its own."""
    with exits_with(USAGE):
        job = checked_job(config, overrides)
        check_single_processes(job)
        if not job.corpus.has_span and days_back:
            require_spans(job, config, "--days-back")
        if job.corpus.has_span:
            require_spans(job, config, "A compiled job")
        times = CronTimes(schedule or "0 0 * * *", timezone)
        when = AirflowTimes(times if schedule else None, timezone, days_back)
        deployed = _deployment(job, config, root or Path("runs") / job.name, overrides or [], command)
        text = airflow_dag(deployed, when, datetime.datetime.now(UTC))
        _write(text, output)


def _deployment(job: Job, config: Path, root: Path, overrides: list[str], command: str | None) -> Deployment:
    arguments = [str(config.absolute()), "--root", str(root.absolute())]
    arguments += [part for override in overrides for part in ("--set", override)]
    program = own_program() if command is None else _words(command)
    return Deployment(job.name, tuple(plan(job, None)), program, tuple(arguments), job.corpus.has_span)


def _words(command: str) -> tuple[str, ...]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise JobError("The command is invalid.", where="--command", found=f"{command}: {error}") from None
    if not words:
        raise JobError("The command is empty.", where="--command", expected="a path such as /opt/seqloom/bin/seqloom")
    return tuple(words)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(visible(text), nl=False)
        return
    try:
        disk.write(output, text.encode())
    except OSError as error:
        raise JobError("The file cannot be written.", where=str(output), found=error.strerror) from error
