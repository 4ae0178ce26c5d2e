"""What a run would do: the components in order, what they wait for and need, and what is in the cache."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.config.job import Job
from pipeline.config.plain_paths import plain_path
from pipeline.config.sections import ResourceSettings
from pipeline.dag.edges import inputs, upstream
from pipeline.dag.layout import Layout
from pipeline.runs.lock import RootLock
from pipeline.runs.redirect import redirect_output
from pipeline.runs.temporary import temporary_folder
from pipeline.store.passwords import secrets_of

if TYPE_CHECKING:
    from pipeline.runs.prepare import PreparedRun

RESOLVERS = ("PreviousStatistics", "BestHyperparameters", "WarmStart", "Baseline")
"""The components that only look up earlier results; they run in every run, for a moment."""


class PlannedComponent(NamedTuple):
    """A component of a plan.

    Attributes:
        upstream: The components that it waits for.
        cache: "cached", "runs" or "depends on <component>", the first one before it that runs; None if nobody asked.
    """

    name: str
    upstream: tuple[str, ...]
    resources: ResourceSettings
    cache: str | None


def plan(job: Job, root: Path | None) -> list[PlannedComponent]:
    """Returns the components of a job in order, and for a root whether they would come from its cache.

    It writes nothing into the root but copies of the files that the job names and hashes of the corpus's, as a run.

    Raises:
        TransientError: If a run uses the root.
        JobError: If a file of the job is missing or invalid.
    """
    states: Mapping[str, str] = {}
    if root is not None:
        states = cache_states(job, _cached(job, root) if has_metadata(job, root) else frozenset())
    empty = ResourceSettings()
    return [
        PlannedComponent(name, before, job.resources.get(name, empty), states.get(name))
        for name, before in upstream(job).items()
    ]


def has_metadata(job: Job, root: Path) -> bool:
    """Returns whether a root has ever been run in.

    Raises:
        JobError: If its metadata is elsewhere than the job says.
    """
    from pipeline.store.stores import has_runs

    return has_runs(job, root)


def cache_states(job: Job, cached: frozenset[str]) -> dict[str, str]:
    """Returns the `cache` of each component of a plan, given those that are in the cache."""
    found: dict[str, str] = {}
    edges = inputs(job)
    waits: dict[str, str] = {}
    for name, before in edges.items():
        reason = next((waits[each] for each in before if each in waits), None)
        if name in cached:
            found[name] = "cached"
        elif reason is not None:
            found[name], waits[name] = f"depends on {reason}", reason
        else:
            found[name] = "runs"
            if name not in RESOLVERS:
                waits[name] = name
    return found


def _cached(job: Job, root: Path) -> frozenset[str]:
    with prepared_lookup(job, root) as prepared:
        from pipeline.runners import cache_probe

        return cache_probe.cached_components(prepared)


@contextlib.contextmanager
def prepared_lookup(job: Job, root: Path) -> Iterator[PreparedRun]:
    """Yields a run that is only looked up in the cache of a root, which has metadata; holds the root's lock.

    Raises:
        TransientError: If a run uses the root.
        JobError: If a file of the job is missing or invalid.
    """
    with RootLock(root):
        place = plain_path(root)
        temporary = Path(Layout(place).temporary)
        with temporary_folder(temporary), redirect_output(temporary / "plan.log", tuple(secrets_of(job))):
            from pipeline.runners.tfx_imports import import_tfx

            import_tfx()

            from pipeline.runs.prepare import prepare
            from pipeline.store.stores import snapshot

            with snapshot(job, place) as store:
                yield prepare(job, place, "plan", store=store)
