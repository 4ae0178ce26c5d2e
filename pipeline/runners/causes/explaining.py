"""Explains whether a component of a job would run again in a root, and why."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pipeline.config.job import Job
from pipeline.runners.causes import conditions
from pipeline.runners.causes.changes import Difference, changed_code, changed_files, differences, nearest
from pipeline.runners.causes.facts import ExecutionFacts, facts_of
from pipeline.runners.planning import RESOLVERS, cache_states, has_metadata, prepared_lookup
from pipeline.runs.prepare import PreparedRun, code_states

if TYPE_CHECKING:
    from pipeline.runners.cache_probe import Miss, Probed
    from pipeline.runners.causes.earlier_executions import EarlierExecutions

_EVERY_TIME: Mapping[str, str] = {
    **dict.fromkeys(RESOLVERS, "it looks up earlier results"),
    "Pusher": "it compares its model with the published one",
}
"""The components that run every time, for a moment, and why."""


class Explanation(NamedTuple):
    """Why a component would run, or not.

    Attributes:
        component: The component.
        state: "cached" or "runs"; "depends": it reads what a component before it has yet to make.
        run: The run of the nearest earlier execution, or that made the cached results; None if there is none.
        differences: What differs from it.
        reason: Why it runs if nothing differs.
        upstream: The explanation of the first component before it that runs, if it depends on one.
    """

    component: str
    state: Literal["cached", "runs", "depends"]
    run: str | None = None
    differences: tuple[Difference, ...] = ()
    reason: str | None = None
    upstream: Explanation | None = None


def explain(job: Job, root: Path, component: str) -> Explanation:
    """Explains whether a component would run again in a root; writes as little into it as `plan`.

    Raises:
        TransientError: If a run uses the root.
        JobError: If a file of the job is missing or invalid.
    """
    if component in _EVERY_TIME:
        return Explanation(component, "runs", reason=f"{_EVERY_TIME[component]} every time")
    if not has_metadata(job, root):
        return _first(component, cache_states(job, frozenset()))
    with prepared_lookup(job, root) as prepared:
        from pipeline.runners.cache_probe import probed
        from pipeline.runners.causes.earlier_executions import EarlierExecutions

        with probed(prepared) as found:
            executions = EarlierExecutions(found.metadata, prepared.store.pipeline, Path(prepared.layout.root))
            return _Explainer(prepared, found, executions).explain(component)


def _first(component: str, states: Mapping[str, str]) -> Explanation:
    """Explains a component of a root that has no runs."""
    before = states[component].removeprefix("depends on ")
    none = "the root has no earlier run"
    if before == states[component]:
        return Explanation(component, "runs", reason=none)
    return Explanation(component, "depends", upstream=Explanation(before, "runs", reason=none))


class _Explainer:
    """Explains the components of a run that TFX has looked up."""

    def __init__(self, prepared: PreparedRun, probed: Probed, executions: EarlierExecutions) -> None:
        self._prepared, self._probed, self._executions = prepared, probed, executions
        self._states = cache_states(prepared.job, probed.cached)
        self._root = Path(prepared.layout.root)

    def explain(self, component: str) -> Explanation:
        """Explains a component, and the first one before it that runs if it depends on that."""
        state = self._states[component]
        if state == "cached":
            run = self._executions.maker_of_results(component, self._prepared.run_id)
            return Explanation(component, "cached", run)
        before = state.removeprefix("depends on ")
        run, found, reason = self._compared(component, self._probed.missed[component])
        if before == state:
            return Explanation(component, "runs", run, found, reason)
        # Whatever else differs, new inputs suffice.
        return Explanation(component, "depends", run, found, upstream=self.explain(before))

    def _compared(self, component: str, miss: Miss) -> tuple[str | None, tuple[Difference, ...], str | None]:
        """Returns the run of the nearest execution, what differs from it, and the reason if nothing does."""
        earlier = self._executions.before(component, self._prepared.run_id, beam=miss.beam is not None)
        if not earlier:
            return None, (), "it has no earlier execution in the root"
        now = None if miss.inputs is None else self._executions.inputs(miss.inputs)
        beam = None if miss.beam is None else conditions.masked(miss.beam)
        new = facts_of(component, miss.properties, now, beam)
        closest = earlier[nearest([each.facts for each in earlier], new)]
        found = differences(closest.facts, new)
        if not found and any(not os.path.exists(uri) for uri in closest.outputs):  # noqa: PTH110 - a URI
            return closest.run, (), f"the results of run {closest.run} are gone"
        reason = None if found else f"nothing that is recorded differs from run {closest.run}"
        return closest.run, tuple(self._named(component, found, closest.run, closest.facts, new)), reason

    def _named(
        self, component: str, found: Iterable[Difference], run: str, old: ExecutionFacts, new: ExecutionFacts
    ) -> Iterable[Difference]:
        """Replaces differences of digests by those of what is behind them, where it is known."""
        for each in found:
            if each.kind == "code":
                yield from self._code(component, run, old) or [each]
            elif each.kind == "file":
                yield from self._files(old.files.get(each.name), new.files.get(each.name)) or [each]
            else:
                yield each

    def _code(self, component: str, run: str, old: ExecutionFacts) -> list[Difference]:
        known = conditions.read(self._root, run)
        before = known.code_behind(old.code) if known else None
        return changed_code(before, code_states(self._prepared.job)[component]) if before else []

    def _files(self, old: str | None, new: str | None) -> list[Difference]:
        from components.corpus_example_gen.inputs.fingerprints import fingerprinted_files

        folder = Path(self._prepared.layout.inputs)
        before, now = (fingerprinted_files(each, folder) if each else [] for each in (old, new))
        return [] if before is None or now is None else changed_files(before, now)
