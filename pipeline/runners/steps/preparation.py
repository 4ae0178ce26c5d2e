"""Prepares a run by steps once, for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.config.job import Job
from pipeline.runners.steps import manifest
from pipeline.runners.steps.step_locks import metadata_lock
from pipeline.runs import record as history
from pipeline.runs.prepare import PreparedRun
from pipeline.runs.record import ComponentRecord, RunRecord
from pipeline.runs.state import RunState
from pipeline.tasks.registry import task_of


def prepare_once(
    job: Job, root: Path, place: Path, run_id: str, save: Callable[[RunRecord], object], *, use_cache: bool, alone: bool
) -> PreparedRun:
    """Prepares a run with its record, or restores what its first step has prepared.

    Args:
        job: The job.
        root: The root as the user gives it.
        place: Its plain path.
        run_id: The run's id.
        save: Saves the record.
        use_cache: Whether the step reuses results of earlier runs.
        alone: Whether no other process uses the root.

    Raises:
        JobError: If a file of the job is missing or invalid, or the run is of another job or place.
    """
    from pipeline.runners.tfx_imports import import_tfx

    import_tfx()

    from pipeline.dag import lineage
    from pipeline.store import stores

    found = manifest.read(root, run_id)
    if found is not None:
        manifest.check(found, job, place, run_id)
        prepared = manifest.restore(found, job, place, run_id, use_cache=use_cache)
    else:
        with metadata_lock(root):
            store = stores.opened_store(job, place) if alone else stores.known_store(job, place)
            lineage.check_run_id(store.connection, run_id)
            prepared = manifest.create(job, place, run_id, store, use_cache=use_cache)
    if history.read(root, run_id) is None:
        save(_new_record(job, root, run_id))
    return prepared


def _new_record(job: Job, root: Path, run_id: str) -> RunRecord:
    """Returns the record of a new run, all of whose components wait."""
    rows = tuple(ComponentRecord(name=name) for name in task_of(job).components(job))
    record = history.new_run(root, job.name, job.task, job.path)
    return record.updated(run_id=run_id, components=rows, state=RunState.WAITING)
