"""The rule of what a root still needs: pure functions of what is in it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pipeline.runs.state import RunState

_COMPARED = 2
"""Models and corpora that a run compares with: the last one, or the one before it if the last one is its own."""

_RESUMABLE = (RunState.RUNNING, RunState.WAITING, RunState.INTERRUPTED)
_WITH_CHECKPOINTS = (*_RESUMABLE, RunState.FAILED)


class RunFacts(NamedTuple):
    """A run with a record.

    Attributes:
        run_id: Its id.
        job: The name of its job.
        state: How it stands.
        by_steps: Whether its steps are processes of their own, which continue it by its id.
        version: The version that it published, if any.
    """

    run_id: str
    job: str
    state: RunState
    by_steps: bool = False
    version: str | None = None


class Result(NamedTuple):
    """The outputs of one execution of a component, which are kept or deleted together.

    Attributes:
        job: The job.
        component: The component.
        runs: The runs that made it, took it from the cache, or read it.
    """

    job: str
    component: str
    runs: frozenset[str]


class Compared(NamedTuple):
    """Results that later runs of a job are compared with.

    Attributes:
        job: The job.
        what: What is compared: a model, or the files of a corpus.
        results: The executions that made what a comparison needs.
    """

    job: str
    what: str
    results: frozenset[int]


class StampedCopy(NamedTuple):
    """The copy of a file that a job names.

    Attributes:
        results: The executions that have its path among their parameters.
        runs: The runs by steps whose later steps use it.
    """

    results: frozenset[int]
    runs: frozenset[str]


@dataclasses.dataclass(frozen=True)
class Inventory:
    """What is in a root.

    Attributes:
        runs: The runs, oldest first.
        results: Results by the number of the execution that made them.
        blessed: Blessed models with their blessings, last used last.
        validated: Statistics that passed validation, with its result, last used last.
        tuned: The results of hyperparameter searches, oldest first.
        versions: The published versions, oldest first.
        published: The results behind each published version.
        copies: Copies of files by their path relative to the root.
    """

    runs: tuple[RunFacts, ...] = ()
    results: Mapping[int, Result] = dataclasses.field(default_factory=dict)
    blessed: tuple[Compared, ...] = ()
    validated: tuple[Compared, ...] = ()
    tuned: tuple[Compared, ...] = ()
    versions: tuple[int, ...] = ()
    published: Mapping[int, frozenset[int]] = dataclasses.field(default_factory=dict)
    copies: Mapping[str, StampedCopy] = dataclasses.field(default_factory=dict)


class Policy(NamedTuple):
    """How much is kept.

    Attributes:
        runs: The number of last runs of each job.
        versions: The number of last published versions; None: all.
    """

    runs: int
    versions: int | None = None


class Dead(NamedTuple):
    """What nothing needs, each with the reason.

    Attributes:
        results: Results by execution.
        runs: Runs whose logs and records are not needed.
        versions: Published versions.
        copies: Copies of files that jobs name.
        checkpoints: Why no run resumes from a checkpoint; None if one may.
    """

    results: dict[int, str]
    runs: dict[str, str]
    versions: dict[int, str]
    copies: dict[str, str]
    checkpoints: str | None


def find_dead(inventory: Inventory, policy: Policy) -> Dead:
    """Returns what nothing in a root needs.

    Live are the last runs of each job and those that steps may continue, with all that they made and read; what the
    published versions come from; the models, statistics and hyperparameters that the next run looks up.
    """
    kept = _kept_runs(inventory.runs, policy.runs)
    versions = inventory.versions[-policy.versions :] if policy.versions else inventory.versions
    live = {number for number, result in inventory.results.items() if result.runs & kept}
    live.update(*(inventory.published.get(version, ()) for version in versions))
    for compared in (
        *_last(inventory.blessed, _COMPARED),
        *_last(inventory.validated, _COMPARED),
        *_last(inventory.tuned, 1),
    ):
        live.update(compared.results)
    serving = {str(version) for version in versions}
    old = f"older than the last {policy.runs} runs"
    old_version = f"older than the last {policy.versions} versions"
    unused = "nothing that is kept was made with it"
    return Dead(
        {number: f"made by a run {old}" for number in inventory.results if number not in live},
        {run.run_id: old for run in inventory.runs if run.run_id not in kept and run.version not in serving},
        {version: old_version for version in inventory.versions if version not in versions},
        {path: unused for path, copy in inventory.copies.items() if not (copy.results & live or copy.runs & kept)},
        None if _may_resume(inventory.runs, kept) else f"none of the last {policy.runs} runs resumes from it",
    )


def _kept_runs(runs: Iterable[RunFacts], number: int) -> frozenset[str]:
    by_job: dict[str, list[RunFacts]] = defaultdict(list)
    for run in runs:
        by_job[run.job].append(run)
    last = {run.run_id for found in by_job.values() for run in found[-number:]}
    return frozenset(last | {run.run_id for run in runs if run.by_steps and run.state in _RESUMABLE})


def _may_resume(runs: Iterable[RunFacts], kept: frozenset[str]) -> bool:
    return any(run.run_id in kept and run.state in _WITH_CHECKPOINTS for run in runs)


def _last(compared: tuple[Compared, ...], number: int) -> Iterator[Compared]:
    """Yields the last entry of each of the last things of each job."""
    seen: dict[str, set[str]] = defaultdict(set)
    for each in reversed(compared):
        if each.what not in seen[each.job] and len(seen[each.job]) < number:
            seen[each.job].add(each.what)
            yield each
