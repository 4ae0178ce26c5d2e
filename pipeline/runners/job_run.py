"""Runs a job from start to end: prepares, runs and records it."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

from components.corpus_validator.anomalies import AnomalyError
from pipeline.config.job import Job
from pipeline.console.live import RunConsole
from pipeline.runners.runner import Observer, Runner
from pipeline.runners.watch import Watch
from pipeline.runs import record as history
from pipeline.runs.details import AnomalyDetails
from pipeline.runs.lock import RootLock
from pipeline.runs.plain_paths import plain_path
from pipeline.runs.prepare import PreparedRun, prepare
from pipeline.runs.record import RunRecord
from pipeline.runs.redirect import redirect_output
from pipeline.runs.state import ComponentState, RunState
from pipeline.tasks.registry import task_of
from pipeline.tasks.task import Goal
from trainer.errors import JobError

SUMMARY = "summary.json"


def _run_locally(prepared: PreparedRun, observer: Observer) -> None:
    from pipeline.runners import local  # TFX takes seconds to import, during which the table is already shown.

    local.run(prepared, observer)


def run(
    job: Job,
    *,
    root: Path,
    goal: Goal = "publish",
    until: str | None,
    use_cache: bool,
    console: RunConsole,
    runner: Runner = _run_locally,
) -> RunRecord:
    """Runs a job, and writes its record to `logs/<run>/run.json` and `summary.json`.

    Args:
        job: The job.
        root: The folder for artifacts, metadata, logs and models.
        goal: What the run is for.
        until: The last component to run; None: all components.
        use_cache: Whether to reuse results of earlier runs.
        console: Shows the run; already entered.
        runner: Runs the components, by default on this machine.

    Raises:
        JobError: If a component fails.
    """
    with RootLock(root):
        record = history.new_run(root, job.name, job.task, job.path)
        components = task_of(job).components(job, goal)
        watch = Watch(record, root, console, components)
        console.start(components)
        try:
            with redirect_output(record.log):
                finished = _run(job, plain_path(root), watch, goal, until, use_cache, runner)
        except BaseException as error:
            failed = isinstance(error, Exception)
            watch.stop(ComponentState.FAILED if failed else ComponentState.INTERRUPTED)
            record = _broken(watch.record, error)
            history.write(root, record)
            console.anomalies(record.details.anomalies or ())
            if isinstance(error, JobError) or not failed:
                raise
            raise JobError(
                f"{watch.current or 'The preparation of the run'} has failed.",
                where=watch.current,
                found=f"{type(error).__name__}: {str(error).strip() or 'no message'}"[:2000],
                fix=f"see the full log: {record.log}",
            ) from error
        history.write(root, finished)
        (root / SUMMARY).write_text(finished.model_dump_json(indent=2) + "\n", encoding="utf-8")
    console.anomalies(finished.details.anomalies or ())
    return finished


def _run(
    job: Job, root: Path, watch: Watch, goal: Goal, until: str | None, use_cache: bool, runner: Runner
) -> RunRecord:
    from pipeline.dag import lineage
    from pipeline.runs import summary

    prepared = prepare(job, root, watch.record.run_id, goal=goal, until=until, use_cache=use_cache)
    with watch.following(prepared.components):
        runner(prepared, watch)
    done = watch.record.updated(finished=_now())
    return summary.complete(done, prepared, lineage.read_run(prepared.metadata, job.name, prepared.run_id))


def _broken(record: RunRecord, error: BaseException) -> RunRecord:
    """Returns the record of a run that ended with an error."""
    details = record.details
    if isinstance(error, AnomalyError):  # They come from the error because TFX deletes a failed component's outputs.
        found = tuple(AnomalyDetails.model_validate(dataclasses.asdict(anomaly)) for anomaly in error.anomalies)
        details = details.model_copy(update={"anomalies": found})
    failed = isinstance(error, Exception)
    return record.updated(
        state=RunState.FAILED if failed else RunState.INTERRUPTED,
        finished=_now(),
        error=(str(error) or type(error).__name__) if failed else None,
        details=details,
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
