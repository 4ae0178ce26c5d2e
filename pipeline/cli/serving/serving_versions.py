"""The published versions of a root: what they are, whether they are whole, and which to go back to."""

from __future__ import annotations

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
        entry: How it was published; None if nothing tells.
        metrics: The metrics of all test documents, of the run that made its model; empty if that is not known.
        newest: Whether servers load it.
        withdrawn: The reason of the rollback that replaced its model; None if it was not replaced.
    """

    number: int
    entry: HistoryEntry | None
    metrics: dict[str, float]
    newest: bool
    withdrawn: str | None


def serving_directory(root: Path) -> str:
    """Returns the serving directory of a root that has published versions.

    Raises:
        JobError: If the root does not exist, or has none.
    """
    runs = records.read_all(root)
    directory = Layout(root).serving
    if not versions(directory):
        found = f"the last run is {runs[-1].state.value.replace('_', ' ')}" if runs else None
        fix = None if runs else "run `seqloom run` first"
        raise JobError("The root has no published version.", where=directory, found=found, fix=fix)
    return directory


def published_versions(root: Path) -> list[ServingVersion]:
    """Returns the versions of a root, oldest first.

    Raises:
        JobError: If the root does not exist, or has none.
    """
    directory = serving_directory(root)
    entries = history(directory)
    by_version = {entry.version: entry for entry in entries}
    replaced = serving_history.withdrawn(entries)
    metrics = {run.run_id: run.metrics.get("overall", {}) for run in records.read_all(root)}
    numbers = versions(directory)

    def described(number: int) -> ServingVersion:
        entry, model = by_version.get(number), identity(f"{directory}/{number}")
        rollback = None if model is None else replaced.get(serving_history.key_of(model))
        known = {} if entry is None or entry.run is None else metrics.get(entry.run, {})
        return ServingVersion(number, entry, known, number == numbers[-1], None if rollback is None else rollback.why)

    return [described(number) for number in numbers]


def require_version(directory: str, number: int) -> str:
    """Returns the folder of a published version.

    Raises:
        JobError: If it is none.
    """
    known = versions(directory)
    if number not in known:
        raise JobError(
            f"The root has no version {number}.", where=directory, expected=" or ".join(map(str, reversed(known)))
        )
    return f"{directory}/{number}"


def version_before(root: Path) -> int:
    """Returns the version that a rollback goes back to: the last one with another model that was not rolled back.

    Raises:
        JobError: If there is none.
    """
    found = published_versions(root)
    directory = Layout(root).serving
    current = identity(f"{directory}/{found[-1].number}")
    for one in reversed(found[:-1]):
        if one.withdrawn is None and (current is None or identity(f"{directory}/{one.number}") != current):
            return one.number
    raise JobError(
        "There is no earlier model to roll back to.",
        where=directory,
        found=f"version {' and '.join(str(one.number) for one in found)}",
        fix="name a version with --to; a larger serving.keep keeps more of them",
    )
