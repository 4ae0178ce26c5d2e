"""Earlier executions of a component, from ML Metadata."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.runners.causes import conditions
from pipeline.runners.causes.facts import ExecutionFacts, Input, facts_of

_SUCCESSFUL = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
_OUTPUT = (mlmd.Event.OUTPUT, mlmd.Event.INTERNAL_OUTPUT)


class Earlier(NamedTuple):
    """An earlier execution.

    Attributes:
        run: The id of its run.
        facts: What it depended on.
        outputs: The URIs of its outputs.
    """

    run: str
    facts: ExecutionFacts
    outputs: tuple[str, ...]


class EarlierExecutions:
    """The executions in a store.

    Args:
        connection: The connection to ML Metadata.
        pipeline: The pipeline's name.
        root: The root of the runs, for their conditions.
    """

    def __init__(self, connection: mlmd.ConnectionConfig, pipeline: str, root: Path) -> None:
        self._store = metadata_store.MetadataStore(connection)
        self._pipeline, self._root = pipeline, root

    def before(self, component: str, run_id: str, *, beam: bool) -> list[Earlier]:
        """Returns the successful executions of a component in other runs, oldest first.

        Args:
            component: The component.
            run_id: The run to leave out.
            beam: Whether the component uses Beam.
        """
        node = self._store.get_context_by_type_and_name("node", f"{self._pipeline}.{component}")
        found = [] if node is None else self._store.get_executions_by_context(node.id)
        finished = [each for each in found if each.last_known_state in _SUCCESSFUL]
        described = [self._describe(component, each, beam=beam) for each in sorted(finished, key=lambda each: each.id)]
        return [each for each in described if each.run != run_id]

    def maker_of_results(self, component: str, run_id: str) -> str | None:
        """Returns the run that made the results that a component of a run has taken from the cache."""
        node = self._store.get_context_by_type_and_name("node", f"{self._pipeline}.{component}")
        for execution in [] if node is None else self._store.get_executions_by_context(node.id):
            if self._context(execution.id, "pipeline_run") == run_id:
                artifacts = [artifact for _, artifact, output in self._events(execution.id) if output]
                return self.origin(artifacts[0]).run if artifacts else None
        return None

    def inputs(self, artifacts: Mapping[str, Sequence[int]]) -> dict[str, tuple[Input, ...]]:
        """Returns input artifacts with their origins, given their ids by channel."""
        return {channel: tuple(map(self.origin, ids)) for channel, ids in artifacts.items() if ids}

    @functools.cache  # noqa: B019 - the object lives as long as one command
    def origin(self, artifact: int) -> Input:
        """Returns an artifact with the component and the run that made it."""
        events = self._store.get_events_by_artifact_ids([artifact])
        made = min(event.execution_id for event in events if event.type in _OUTPUT)
        component = self._context(made, "node").rpartition(".")[2]
        return Input(artifact, component, self._context(made, "pipeline_run"))

    def _describe(self, component: str, execution: mlmd.Execution, *, beam: bool) -> Earlier:
        run = self._context(execution.id, "pipeline_run")
        inputs: dict[str, list[int]] = {}
        outputs = []
        for channel, artifact, output in self._events(execution.id):
            if output:
                outputs.append(artifact)
            else:
                inputs.setdefault(channel, []).append(artifact)
        known = conditions.read(self._root, run) if beam else None
        properties: dict[str, Any] = {
            name: getattr(value, value.WhichOneof("value")) for name, value in execution.custom_properties.items()
        }
        facts = facts_of(component, properties, self.inputs(inputs), known.beam if known else None)
        return Earlier(run, facts, tuple(each.uri for each in self._store.get_artifacts_by_id(outputs)))

    def _events(self, execution: int) -> list[tuple[str, int, bool]]:
        """Returns the channel and the id of each artifact of an execution, and whether it is an output."""
        events = self._store.get_events_by_execution_ids([execution])
        return [(event.path.steps[0].key, event.artifact_id, event.type in _OUTPUT) for event in events]

    def _context(self, execution: int, kind: str) -> str:
        contexts = self._store.get_contexts_by_execution(execution)
        return next(str(context.name) for context in contexts if context.type == kind)
