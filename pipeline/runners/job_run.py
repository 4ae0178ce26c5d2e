"""Runs a job from start to end: prepares, runs and records it."""

from __future__ import annotations

import contextlib
import datetime
from pathlib import Path

from pipeline.config.job import Job
from pipeline.config.plain_paths import plain_path
from pipeline.console.live import RunConsole
from pipeline.dag.layout import Layout
from pipeline.events.recorder import Recorder
from pipeline.events.sinks import recording
from pipeline.runners.failures import anomalies_of, exit_code_of, failure_of, text_of
from pipeline.runners.runner import Observer, Runner
from pipeline.runners.watch import Watch
from pipeline.runs import record as history
from pipeline.runs.details import AnomalyDetails
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.lock import RootLock
from pipeline.runs.prepare import PreparedRun, prepare
from pipeline.runs.record import RunRecord
from pipeline.runs.redirect import redirect_output
from pipeline.runs.state import ComponentState, RunState
from pipeline.runs.temporary import temporary_folder
from pipeline.store.passwords import secrets_of
from pipeline.tasks.registry import task_of
from pipeline.tasks.task import Goal


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
        JobError: If a component fails; a `TransientError` if a retry may succeed.
    """
    interrupts = Interrupts(console.restore_terminal)
    with RootLock(root), interrupts.handled(), contextlib.ExitStack() as stack:
        record = history.new_run(root, job.name, job.task, job.path)
        sinks = recording(job, root, record.log, interrupts, console.message, deliver=goal == "publish")
        recorder = stack.enter_context(sinks)
        components = task_of(job).components(job, goal)
        hidden = tuple(secrets_of(job))
        watch = Watch(record, recorder.save, console, components, interrupts)
        console.start(components)
        try:
            place = plain_path(root)
            with temporary_folder(Path(Layout(place).temporary)), redirect_output(record.log, hidden):
                finished = _run(job, place, watch, goal, until, use_cache, runner)
            with interrupts.deferred():
                recorder.save(finished)
                history.write_summary(root, finished)
        except BaseException as error:
            with interrupts.deferred():
                failure = failure_of(error, watch.current, root, record.log, interrupts)
                anomalies = _record_failure(failure, watch, recorder)
            console.anomalies(anomalies)
            if failure is error:
                raise
            raise failure from error
    console.anomalies(finished.details.anomalies or ())
    return finished


def _run(
    job: Job, root: Path, watch: Watch, goal: Goal, until: str | None, use_cache: bool, runner: Runner
) -> RunRecord:
    from pipeline.runners.tfx_imports import import_tfx

    import_tfx()

    from pipeline.dag import lineage
    from pipeline.runs import leftovers, summary
    from pipeline.store import stores

    layout = Layout(root)
    store = stores.opened_store(job, root)
    leftovers.remove(layout, store.connection)
    prepared = prepare(job, root, watch.record.run_id, store=store, goal=goal, until=until, use_cache=use_cache)
    with watch.following(prepared.components):
        runner(prepared, watch)
    done = watch.record.updated(finished=_now())
    return summary.complete(done, prepared, lineage.read_run(store.connection, store.pipeline, prepared.run_id))


def _record_failure(failure: BaseException, watch: Watch, recorder: Recorder) -> tuple[AnomalyDetails, ...]:
    """Records how a run ended, unless its disk is full; returns the anomalies that ended it."""
    failed = isinstance(failure, Exception)
    found = anomalies_of(failure)
    with contextlib.suppress(OSError):
        watch.stop(ComponentState.FAILED if failed else ComponentState.INTERRUPTED)
    record = watch.record
    ended = record.updated(
        state=RunState.FAILED if failed else RunState.INTERRUPTED,
        finished=_now(),
        error=text_of(failure),
        exit_code=exit_code_of(failure),
        details=record.details.model_copy(update={"anomalies": found}) if found else record.details,
    )
    with contextlib.suppress(OSError):
        recorder.save(ended)
    return found


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
