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
from pipeline.deploy.kubeflow_pipeline import kubeflow_pipeline
from pipeline.deploy.pods import KubernetesPlace, checked_image, kubernetes_name
from pipeline.operate.cron_times import UTC, CronTimes
from pipeline.runners.planning import plan
from pipeline.runs import disk
from trainer.errors import JobError


class To(str, enum.Enum):
    """Systems that run the components of a job."""

    AIRFLOW = "airflow"
    KUBEFLOW = "kubeflow"


_SCHEDULE = ("schedule", "timezone", "days_back")
"""Parameters that only Airflow has."""


def compile_job(
    context: typer.Context,
    config: ConfigPath,
    to: Annotated[To, typer.Option("--to", help="The system that runs the components.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file.", show_default="print it")
    ] = None,
    root: RootPath = None,
    overrides: Overrides = None,
    command: Annotated[
        str | None,
        typer.Option(
            help="How to call seqloom on the workers or in the image.",
            show_default="the path of this one; in an image: seqloom",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="FIELDS", help='Airflow: five cron fields, e.g. "15 2 * * *".', show_default="none"),
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Airflow: the time zone of the schedule and of spans.")
    ] = "UTC",
    days_back: Annotated[
        int, typer.Option(min=0, max=3660, help="Airflow: the span is that of so many days before the time of the run.")
    ] = 0,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="NAME@sha256:DIGEST",
            help="The image of the containers; required for Kubeflow.",
            show_default="Airflow: no containers, but processes of its workers",
        ),
    ] = None,
    claim: Annotated[
        str | None,
        typer.Option(help="Containers: the claim of the root's volume.", show_default="seqloom-<name>"),
    ] = None,
) -> None:
    """Writes a file with which another system runs the components of a job, each as a task of its own."""
    with exits_with(USAGE):
        _check_options(context, to, image, claim)
        job = checked_job(config, overrides)
        check_single_processes(job)
        if job.corpus.has_span or days_back:
            require_spans(job, config, "--days-back")
        where = (root or Path("runs") / job.name).absolute()
        place = None
        if to is To.KUBEFLOW or image is not None:
            place = KubernetesPlace(checked_image(image), claim or kubernetes_name(job.name), str(where))
        program = _words(command) if command is not None else ("seqloom",) if place else own_program()
        deployed = _deployment(job, program, config, where, overrides or [])
        if place is not None and to is To.KUBEFLOW:
            _write(kubeflow_pipeline(deployed, place), output)
        else:
            times = CronTimes(schedule or "0 0 * * *", timezone)
            when = AirflowTimes(times if schedule else None, timezone, days_back)
            _write(airflow_dag(deployed, when, place, datetime.datetime.now(UTC)), output)


def _deployment(job: Job, program: tuple[str, ...], config: Path, root: Path, overrides: list[str]) -> Deployment:
    return Deployment(
        name=job.name,
        components=tuple(plan(job, None)),
        program=program,
        config=str(config.absolute()),
        root=str(root),
        overrides=tuple(part for override in overrides for part in ("--set", override)),
        has_span=job.corpus.has_span,
        epochs=None if (epochs := getattr(job.trainer, "epochs", None)) is None else str(epochs),
    )


def _check_options(context: typer.Context, to: To, image: str | None, claim: str | None) -> None:
    for name in _SCHEDULE:
        source = context.get_parameter_source(name)
        if to is not To.AIRFLOW and source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise JobError(f"{option} cannot be combined with --to {to.value}.", fix=f"remove {option}")
    if claim is not None and to is To.AIRFLOW and image is None:
        raise JobError("--claim needs an image.", fix="add --image, or remove --claim")


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
