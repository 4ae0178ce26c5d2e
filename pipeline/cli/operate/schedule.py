"""`seqloom schedule`."""

from __future__ import annotations

import datetime
import enum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.operate.operating import operating, own_program, require_spans
from pipeline.cli.options import ConfigPath, Overrides, RootPath, checked_job
from pipeline.config.job import Job
from pipeline.console.printing import echo, visible
from pipeline.operate.backfilling import exit_code
from pipeline.operate.cron_times import UTC, CatchUp, CronTimes, parse_duration
from pipeline.operate.emission.command import Emission
from pipeline.operate.emission.cron_job import cron_job
from pipeline.operate.emission.crontab import crontab
from pipeline.operate.emission.systemd import units
from pipeline.operate.ledger import outcome
from pipeline.operate.operator_locks import only_one
from pipeline.operate.scheduler import SchedulePlan, Scheduler
from pipeline.operate.span_run import SpanRunner
from pipeline.runs.state import RunState
from trainer.errors import JobError


class On(str, enum.Enum):
    """When a scheduled time runs the job: always, or for spans that were not run."""

    TIME = "time"
    NEW_SPAN = "new-span"


class Target(str, enum.Enum):
    """Other schedulers."""

    SYSTEMD = "systemd"
    CRON = "cron"
    K8S = "k8s"


_WRITERS = {Target.SYSTEMD: units, Target.CRON: crontab, Target.K8S: cron_job}


def schedule(
    config: ConfigPath,
    cron: Annotated[str, typer.Option(metavar="FIELDS", help='Five cron fields, e.g. "15 2 * * *".')],
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Their time zone, e.g. Europe/Berlin.")] = "UTC",
    root: RootPath = None,
    overrides: Overrides = None,
    on: Annotated[On, typer.Option("--on", help="new-span: run only spans that were not run.")] = On.TIME,
    days_back: Annotated[
        int, typer.Option(min=0, max=3660, help="The span is that of so many days before the scheduled time.")
    ] = 0,
    catch_up: Annotated[
        CatchUp | None,
        typer.Option(help="Which passed times to run.", show_default="all of a corpus with spans, else last"),
    ] = None,
    deadline: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How late a time may start, e.g. 90m or 6h.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Run what is due, and end.")] = False,
    emit: Annotated[
        Target | None, typer.Option(help="Print the schedule for another scheduler, which runs --once.")
    ] = None,
) -> None:
    """Runs a job at the times of a cron expression until SIGINT or SIGTERM; each time reads its own span.

    Exit codes: 0 stopped; with --once those of `seqloom run`; 1 failed; 2 usage error.
    """
    with exits_with(USAGE):
        job = checked_job(config, overrides)
        plan = _plan(job, config, CronTimes(cron, timezone), catch_up, deadline, on, days_back)
    where = root or Path("runs") / job.name
    if emit is not None:
        with exits_with(USAGE):
            text = _WRITERS[emit](_emission(job, config, where, overrides or [], plan))
        typer.echo(visible(text), nl=False)
        return
    with operating(where) as clock, only_one(where, "scheduler"):
        codes = Scheduler(plan, SpanRunner(where, config, overrides or (), clock, echo)).run(once=once)
        stopped = clock.stops > 0
    if once:
        raise typer.Exit(RunState.INTERRUPTED.exit_code if stopped else exit_code({*map(outcome, codes)}))


def _plan(
    job: Job, config: Path, times: CronTimes, catch_up: CatchUp | None, deadline: str | None, on: On, days_back: int
) -> SchedulePlan:
    if not job.corpus.has_span and on is On.NEW_SPAN:
        require_spans(job, config, "--on new-span")
    if not job.corpus.has_span and days_back:
        require_spans(job, config, "--days-back")
    if days_back and on is On.NEW_SPAN:
        raise JobError("--days-back and --on new-span cannot be combined.", fix="give one of the two")
    spans = require_spans(job, config, "A schedule") if job.corpus.has_span else None
    return SchedulePlan(
        times,
        catch_up or (CatchUp.LAST if spans is None or on is On.NEW_SPAN else CatchUp.ALL),
        None if deadline is None else parse_duration(deadline),
        spans,
        days_back,
        on is On.NEW_SPAN,
    )


def _emission(job: Job, config: Path, root: Path, overrides: list[str], plan: SchedulePlan) -> Emission:
    # The scheduler starts the command a little late; what to do with times before that one is its own affair.
    once_catch_up = CatchUp.LAST if plan.catch_up is CatchUp.NONE else plan.catch_up
    seconds = None if plan.deadline is None else int(plan.deadline.total_seconds())
    arguments = ["schedule", str(config.absolute()), "--cron", plan.times.expression, "--timezone", plan.times.timezone]
    arguments += ["--root", str(root.absolute()), "--once", "--catch-up", once_catch_up.value]
    arguments += [] if seconds is None else ["--deadline", f"{seconds}s"]
    arguments += ["--on", On.NEW_SPAN.value] if plan.new_spans else []
    arguments += ["--days-back", str(plan.days_back)] if plan.days_back else []
    arguments += [part for override in overrides for part in ("--set", override)]
    return Emission(
        job.name,
        plan.times,
        own_program(),
        tuple(arguments),
        root.absolute(),
        plan.catch_up is not CatchUp.NONE,
        plan.deadline,
        datetime.datetime.now(UTC),
    )
