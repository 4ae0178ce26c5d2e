"""The record of a run by steps, which several processes update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.runners.steps.step_locks import file_lock
from pipeline.runs import record as history
from pipeline.runs.record import ComponentRecord, RunRecord, run_dir, this_worker, unfinished_state
from pipeline.runs.state import ComponentState, RunState


def update(
    root: Path, run_id: str, change: Callable[[RunRecord], RunRecord], save: Callable[[RunRecord], object]
) -> RunRecord:
    """Changes the record of a run as it is now, and saves it, while no other process does; returns the changed one."""
    with file_lock(run_dir(root, run_id) / ".record.lock"):
        stored = history.read(root, run_id)
        if stored is None:
            raise FileNotFoundError(run_dir(root, run_id))
        changed = change(stored)
        save(changed)
    return changed


def merged(stored: RunRecord, components: Sequence[ComponentRecord]) -> RunRecord:
    """Returns a record with the components of this process, and the state that follows from all components."""
    worker = this_worker()
    own = {
        component.name: component.model_copy(
            update={"worker": worker if component.state is ComponentState.RUNNING else None}
        )
        for component in components
    }
    rows = tuple(own.get(component.name, component) for component in stored.components)
    state = unfinished_state(rows)
    error = stored.error if state is RunState.FAILED else None
    code = stored.exit_code if state in (RunState.FAILED, RunState.INTERRUPTED) else None
    return stored.updated(components=rows, state=state, error=error, exit_code=code)


def is_complete(record: RunRecord) -> bool:
    """Returns whether all components are complete."""
    return all(component.state.complete for component in record.components)


def is_final(record: RunRecord) -> bool:
    """Returns whether a run has ended and has its results in its record."""
    open_states = (RunState.WAITING, RunState.RUNNING, RunState.FAILED, RunState.INTERRUPTED)
    return is_complete(record) and record.state not in open_states


def row(record: RunRecord, component: str) -> ComponentRecord:
    """Returns the record of one component."""
    return next(each for each in record.components if each.name == component)
