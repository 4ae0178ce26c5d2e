"""Runs single components of a run, which other processes complete, over one root and its ML Metadata."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pipeline.config.job import Job
from pipeline.config.plain_paths import plain_path
from pipeline.console.live import RunConsole
from pipeline.dag.edges import downstream, upstream
from pipeline.dag.layout import Layout
from pipeline.events.recorder import Recorder
from pipeline.events.sinks import recording
from pipeline.runners.failures import anomalies_of, exit_code_of, failure_of, text_of
from pipeline.runners.steps import manifest, step_record
from pipeline.runners.steps.preparation import prepare_once
from pipeline.runners.steps.step_locks import StepLock, component_locks, metadata_lock
from pipeline.runners.watch import Watch
from pipeline.runs import record as history
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.prepare import PreparedRun
from pipeline.runs.record import RunRecord, run_dir
from pipeline.runs.redirect import redirect_output
from pipeline.runs.state import ComponentState, RunState
from pipeline.runs.temporary import temporary_folder
from pipeline.store.passwords import secrets_of
from trainer.errors import JobError

_JUDGE = "Evaluator"
"""The component that decides whether those after it are needed."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a step has ended.

    Attributes:
        record: The record of the run.
        log: The log of the step; None if it had nothing to do.
        rejected: Whether the step has found that the model does not pass its gates.
    """

    record: RunRecord
    log: Path | None = None
    rejected: bool = False


def already_done(job: Job, root: Path, run_id: str, only: Sequence[str]) -> Ended | None:
    """Returns the end of a step whose components are all complete, None if there is something to do.

    Raises:
        JobError: If the run was not made by steps, or is of another job or place.
    """
    record = history.read(root, run_id)
    if record is None:
        return None
    found = manifest.read(root, run_id)
    if found is None:
        raise JobError(
            "The run was not made by steps.",
            where=f"run {run_id}",
            found=f"a run of all components, {record.state.value.replace('_', ' ')}",
            fix="use another --run-id",
        )
    manifest.check(found, job, plain_path(root), run_id)
    complete = all(step_record.row(record, name).state.complete for name in only)
    unrecorded = step_record.is_complete(record) and not step_record.is_final(record)
    return Ended(record) if complete and not unrecorded else None


@contextlib.contextmanager
def opened(
    job: Job, root: Path, run_id: str, only: Sequence[str], *, use_cache: bool, console: RunConsole
) -> Iterator[ComponentStep]:
    """Reserves components of a run, and prepares the run if this is its first step.

    Args:
        job: The job.
        root: The root of the run.
        run_id: The run's id.
        only: The components to run, in the order of the job.
        use_cache: Whether to reuse results of earlier runs.
        console: Shows the step; already entered.

    Raises:
        TransientError: If another run uses the root, or another process runs one of the components.
        JobError: If a file of the job is missing or invalid, or a component that has to run before has not ended.
    """
    interrupts = Interrupts(console.restore_terminal)
    log = run_dir(root, run_id) / f"{'+'.join(only)}.log"
    with StepLock(root, run_id) as lock, interrupts.handled():
        place = plain_path(root)
        log.parent.mkdir(parents=True, exist_ok=True)
        if lock.alone:
            shutil.rmtree(Layout(place).temporary, ignore_errors=True)
        # Steps of one run share the root, and each component has one process. Sockets need short paths.
        temporary = Path(Layout(place).temporary, only[0])
        hidden = tuple(secrets_of(job))
        with (
            component_locks(root, run_id, tuple(only)),
            temporary_folder(temporary),
            redirect_output(log, hidden),
            recording(job, root, log, interrupts, console.message) as recorder,
        ):
            with _explained(root, log, interrupts):
                save = recorder.save
                prepared = prepare_once(job, root, place, run_id, save, use_cache=use_cache, alone=lock.alone)
                step = ComponentStep(prepared, root, tuple(only), log, console, interrupts, recorder)
                step.check_upstream()
                step.remove_leftovers(alone=lock.alone)
            lock.share()
            yield step
        if step_record.is_final(step.record()):
            with contextlib.suppress(OSError):
                temporary.parent.rmdir()


class ComponentStep:
    """Components of a prepared run, reserved for this process; see `opened`."""

    def __init__(
        self,
        prepared: PreparedRun,
        root: Path,
        only: tuple[str, ...],
        log: Path,
        console: RunConsole,
        interrupts: Interrupts,
        recorder: Recorder,
    ) -> None:
        self._recorder = recorder
        self._failure: BaseException | None = None
        self._prepared, self._root, self._only, self._log = prepared, root, only, log
        self._console, self._interrupts = console, interrupts
        self._edges = upstream(prepared.job)
        self._after_judge = downstream(_JUDGE, self._edges)
        self._finished = self._read_finished()
        self._todo = tuple(name for name in only if name not in self._finished)
        self._watch = Watch(self.record(), self._save, console, self._todo, interrupts)

    def record(self) -> RunRecord:
        """Returns the record of the run as it is now."""
        return self._update(lambda stored: stored)

    def check_upstream(self) -> None:
        """Checks that everything that the components read is there.

        Raises:
            JobError: If a component before them has not ended in this run.
        """
        for component in self._todo:
            missing = [name for name in self._edges[component] if name not in {*self._finished, *self._only}]
            if missing:
                raise JobError(
                    f"{component} has no inputs in this run: {' and '.join(missing)} must end first.",
                    where=f"run {self._prepared.run_id}",
                    fix=f"run it with --only {','.join(missing)}",
                )

    def remove_leftovers(self, *, alone: bool) -> None:
        """Removes what killed attempts left, and if no other step is at work, killed runs."""
        from pipeline.runs import leftovers

        with metadata_lock(self._root):
            if alone:
                leftovers.remove(self._prepared.layout, self._prepared.metadata)
                return
            for component in self._todo:
                leftovers.remove_of(component, self._prepared.layout, self._prepared.metadata)

    def run(self) -> Ended:
        """Runs the components that have not ended, and completes the record of the run after its last one.

        Raises:
            JobError: If a component fails; a `TransientError` if a retry may succeed.
        """
        try:
            self._run()
            rejected = self._is_rejected()
            record = self._update(functools.partial(self._ended, rejected))
            if step_record.is_complete(record):
                record = self._complete(record)
        except BaseException as error:
            with self._interrupts.deferred():
                failure = failure_of(error, self._watch.current, self._root, self._log, self._interrupts)
                anomalies = anomalies_of(failure)
                with contextlib.suppress(OSError):
                    self._record_failure(failure)
            self._console.anomalies(anomalies)
            if failure is error:
                raise
            raise failure from error
        self._console.anomalies(record.details.anomalies or ())
        return Ended(record, self._log, rejected and _JUDGE in self._only)

    def _run(self) -> None:
        from pipeline.runners import local
        from pipeline.runners.steps.shared_metadata import SharedMetadata

        if self._todo:
            with self._watch.following(self._todo):
                launching = local.Launching(self._wants, functools.partial(SharedMetadata, root=self._root))
                local.run(self._prepared, self._watch, launching)

    def _wants(self, component: str) -> bool:
        if component not in self._todo:
            return False
        if component in self._after_judge and self._is_rejected():
            self._watch.skipped(component)
            return False
        return True

    def _is_rejected(self) -> bool:
        """Returns whether the run's model did not pass its gates."""
        from pipeline.dag import lineage

        prepared, store = self._prepared, self._prepared.store
        with metadata_lock(self._root):
            judged = lineage.read_run(store.connection, store.pipeline, prepared.run_id).get(_JUDGE)
        blessing = judged.outputs.get("blessing") if judged else None
        return blessing is not None and blessing.properties["blessed"] != 1

    def _ended(self, rejected: bool, stored: RunRecord) -> RunRecord:
        """Adds what ended without being recorded, and what a rejected model makes unnecessary."""
        ended = {name: ComponentState.SKIPPED for name in self._after_judge if rejected}
        for name in self._only:
            if name in self._finished:
                ended[name] = ComponentState.CACHED if self._finished[name] else ComponentState.DONE
        rows = [row.model_copy(update={"state": ended[row.name]}) for row in stored.components if row.name in ended]
        return step_record.merged(stored, [row for row in rows if not step_record.row(stored, row.name).state.complete])

    def _complete(self, record: RunRecord) -> RunRecord:
        """Completes the record of a run whose components are all complete."""
        from pipeline.dag import lineage
        from pipeline.runs import summary

        prepared, store = self._prepared, self._prepared.store
        with metadata_lock(self._root):
            executions = lineage.read_run(store.connection, store.pipeline, prepared.run_id)
        now = datetime.datetime.now(datetime.timezone.utc)
        done = summary.complete(record.updated(finished=now), prepared, executions)
        with self._interrupts.deferred():
            self._update(lambda _: done)
            history.write_summary(self._root, done)
        return done

    def _read_finished(self) -> dict[str, bool]:
        from pipeline.dag import lineage

        prepared, store = self._prepared, self._prepared.store
        with metadata_lock(self._root):
            return lineage.read_finished(store.connection, store.pipeline, prepared.run_id)

    def _save(self, record: RunRecord) -> None:
        self._update(lambda stored: self._with_failure(step_record.merged(stored, record.components)))

    def _record_failure(self, failure: BaseException) -> None:
        self._failure = failure
        self._watch.stop(ComponentState.FAILED if isinstance(failure, Exception) else ComponentState.INTERRUPTED)
        self._update(self._with_failure)

    def _with_failure(self, stored: RunRecord) -> RunRecord:
        """Adds what has ended this step to the record of its run."""
        failure = self._failure
        if failure is None:
            return stored
        anomalies, text = anomalies_of(failure), text_of(failure)
        details = stored.details.model_copy(update={"anomalies": anomalies}) if anomalies else stored.details
        failed = isinstance(failure, Exception) and step_record.is_complete(stored)
        state = RunState.FAILED if failed else stored.state
        error = text if state is RunState.FAILED else stored.error
        return stored.updated(state=state, error=error, exit_code=exit_code_of(failure), details=details)

    def _update(self, change: Callable[[RunRecord], RunRecord]) -> RunRecord:
        return step_record.update(self._root, self._prepared.run_id, change, self._recorder.save)


@contextlib.contextmanager
def _explained(root: Path, log: Path, interrupts: Interrupts) -> Iterator[None]:
    """Makes errors of the preparation those that users see."""
    try:
        yield
    except Exception as error:
        failure = failure_of(error, None, root, log, interrupts)
        if failure is error:
            raise
        raise failure from error
