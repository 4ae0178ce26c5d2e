"""The published versions of a root: what they are, whether they are whole, and which to go back to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.pusher import serving_history
from components.pusher.publish import history, identity, versions
from components.pusher.serving_history import HistoryEntry
from pipeline.dag.layout import Layout
from pipeline.runs import record as records
from trainer.errors import JobError


class ServingVersion(NamedTuple):
    """A published version.

    Attributes:
        number: Its number, the name of its folder.
        folder: Its folder.
        model: The identity of its model; None if the model has none.
        entry: How it was published; None if nothing tells.
        metrics: The metrics of all test documents, of the run that made its model; empty if that is not known.
        newest: Whether servers load it.
        withdrawn: The reason of the rollback that replaced its model; None if it was not replaced.
    """

    number: int
    folder: str
    model: dict[str, str] | None
    entry: HistoryEntry | None
    metrics: dict[str, float]
    newest: bool
    withdrawn: str | None


def published_versions(root: Path) -> list[ServingVersion]:
    """Returns the versions of a root, oldest first.

    Raises:
        JobError: If the root does not exist, or has none.
    """
    runs, directory = records.read_all(root), Layout(root).serving
    numbers, entries = versions(directory), history(directory)
    if not numbers:
        found = f"the last run is {runs[-1].state.value.replace('_', ' ')}" if runs else None
        fix = None if runs else "run `seqloom run` first"
        raise JobError("The root has no published version.", where=directory, found=found, fix=fix)
    by_version = {entry.version: entry for entry in entries}
    replaced = serving_history.withdrawn(entries)
    metrics = {run.run_id: run.metrics.get("overall", {}) for run in runs}

    def described(number: int) -> ServingVersion:
        folder, entry = f"{directory}/{number}", by_version.get(number)
        model = identity(folder)
        rollback = None if model is None else replaced.get(serving_history.key_of(model))
        known = {} if entry is None or entry.run is None else metrics.get(entry.run, {})
        why = None if rollback is None else rollback.why
        return ServingVersion(number, folder, model, entry, known, number == numbers[-1], why)

    return [described(number) for number in numbers]


def require_version(found: Sequence[ServingVersion], number: int) -> ServingVersion:
    """Returns the version with a number.

    Raises:
        JobError: If there is none.
    """
    for one in found:
        if one.number == number:
            return one
    known = " or ".join(str(one.number) for one in reversed(found))
    raise JobError(f"The root has no version {number}.", where=str(Path(found[0].folder).parent), expected=known)


def version_before(found: Sequence[ServingVersion]) -> ServingVersion:
    """Returns the version that a rollback goes back to: the last one with another model that was not rolled back.

    Raises:
        JobError: If there is none.
    """
    *earlier, current = found
    for one in reversed(earlier):
        if one.withdrawn is None and (current.model is None or one.model != current.model):
            return one
    raise JobError(
        "There is no earlier model to roll back to.",
        where=str(Path(current.folder).parent),
        found=f"version {' and '.join(str(one.number) for one in found)}",
        fix="name a version with --to; a larger serving.keep keeps more of them",
    )
