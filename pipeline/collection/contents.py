"""Finds out what is in a root, from its ML Metadata, its records and its folders."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from ml_metadata import errors, metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.shared.executions import OUTPUTS
from pipeline.collection.liveness import Compared, Inventory, Result, RunFacts, StampedCopy
from pipeline.dag.layout import Layout
from pipeline.runs.record import RunRecord, run_dir
from pipeline.runs.state import RunState

_DONE = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
_CLAIMS = (mlmd.Artifact.LIVE, mlmd.Artifact.UNKNOWN)
"""States of artifacts whose files are not to be touched; TFX takes only live ones from the cache."""

_BATCH = 500
_COPIES = ("schema", "vocabulary", "vectors", "evaluation")
"""Folders of the copies of files that jobs name."""

_RESOLVER = ".Resolver"
"""End of the name of the type of executions that look up earlier artifacts."""

_VERSION = re.compile(r"0|[1-9][0-9]*")
_STEPS_FILE = "steps.json"


@dataclasses.dataclass(frozen=True)
class RootContents:
    """What is in a root, and where.

    Attributes:
        inventory: What liveness is decided by.
        artifacts: The artifacts of each result.
        folders: The folders of each result, relative to the folder of artifacts.
    """

    inventory: Inventory
    artifacts: Mapping[int, list[mlmd.Artifact]]
    folders: Mapping[int, set[str]]


class _Graph:
    """The executions, artifacts and events of a store."""

    def __init__(self, store: metadata_store.MetadataStore) -> None:
        self.runs: dict[int, str] = {}
        self.nodes: dict[int, str] = {}
        for kind, found in (("pipeline_run", self.runs), ("node", self.nodes)):
            for context in _contexts(store, kind):
                for execution in store.get_executions_by_context(context.id):
                    found[execution.id] = context.name
        executions = store.get_executions()
        self.states = {execution.id: execution.last_known_state for execution in executions}
        self._executions = {execution.id: execution for execution in executions}
        self.artifacts = {artifact.id: artifact for artifact in store.get_artifacts()}
        self.outputs: dict[int, set[int]] = defaultdict(set)
        self.inputs: dict[int, set[int]] = defaultdict(set)
        self._found: dict[int, set[int]] = defaultdict(set)
        kinds = {kind.id for kind in store.get_execution_types() if kind.name.endswith(_RESOLVER)}
        resolvers = {execution.id for execution in executions if execution.type_id in kinds}
        numbers = sorted(self.states)
        for start in range(0, len(numbers), _BATCH):
            for event in store.get_events_by_execution_ids(numbers[start : start + _BATCH]):
                self._add(event, resolvers)

    def _add(self, event: mlmd.Event, resolvers: set[int]) -> None:
        """Adds an event. A resolver chooses among all artifacts of a type, and uses what it finds."""
        if event.type in OUTPUTS:
            self.outputs[event.artifact_id].add(event.execution_id)
        elif event.type == mlmd.Event.INTERNAL_OUTPUT:
            self._found[event.artifact_id].add(event.execution_id)
        elif event.execution_id not in resolvers:
            self.inputs[event.artifact_id].add(event.execution_id)

    def producer(self, artifact: int) -> int | None:
        """Returns the execution that made an artifact; later ones took it from the cache."""
        return min(self.outputs[artifact], default=None)

    def last_output(self, artifact: int) -> int:
        """Returns the last execution that made an artifact, or took it from the cache."""
        return max(self.outputs[artifact], default=0)

    def parameters(self, execution: int) -> str:
        """Returns the text of the parameters of an execution."""
        found = self._executions[execution]
        values = [*found.properties.values(), *found.custom_properties.values()]
        return "\n".join(value.string_value for value in values)

    def job(self, execution: int) -> str:
        return self.nodes.get(execution, "").rpartition(".")[0]

    def users(self, artifact: int) -> set[int]:
        return self.outputs[artifact] | self.inputs[artifact] | self._found[artifact]

    def consumed(self, execution: int) -> list[mlmd.Artifact]:
        return [self.artifacts[artifact] for artifact, by in self.inputs.items() if execution in by]

    def live(self, kind: str) -> list[mlmd.Artifact]:
        """Returns the live artifacts of a type, last used last, as the components that look them up order them."""
        found = [each for each in self.artifacts.values() if each.type == kind and each.state == mlmd.Artifact.LIVE]
        return sorted(found, key=lambda artifact: self.last_output(artifact.id))


def _contexts(store: metadata_store.MetadataStore, kind: str) -> list[mlmd.Context]:
    try:
        return list(store.get_contexts_by_type(kind))
    except errors.NotFoundError:  # Nothing has run yet.
        return []


def read_contents(layout: Layout, connection: mlmd.ConnectionConfig, records: Iterable[RunRecord]) -> RootContents:
    """Returns what is in a root.

    Args:
        layout: The root.
        connection: Its ML Metadata.
        records: The records of its runs, oldest first.
    """
    graph = _Graph(metadata_store.MetadataStore(connection))
    artifacts: dict[int, list[mlmd.Artifact]] = defaultdict(list)
    for artifact in graph.artifacts.values():
        producer = graph.producer(artifact.id)
        if producer is not None and artifact.state in _CLAIMS and graph.states[producer] in _DONE:
            artifacts[producer].append(artifact)
    results = {number: _result(graph, number, found) for number, found in artifacts.items()}
    versions = _versions(Path(layout.serving))
    inventory = Inventory(
        runs=tuple(_run(layout, record) for record in records),
        results=results,
        blessed=tuple(_blessed(graph)),
        validated=tuple(_validated(graph)),
        tuned=tuple(_tuned(graph)),
        versions=versions,
        published=_published(graph, versions),
        copies=_copies(layout, graph, results),
    )
    return RootContents(inventory, artifacts, {number: folders_of(found) for number, found in artifacts.items()})


def claimed_folders(connection: mlmd.ConnectionConfig) -> set[str]:
    """Returns the folders below that of artifacts which some artifact claims: component, channel and execution."""
    store = metadata_store.MetadataStore(connection)
    return folders_of(artifact for artifact in store.get_artifacts() if artifact.state in _CLAIMS)


def folders_of(artifacts: Iterable[mlmd.Artifact]) -> set[str]:
    """Returns the folders of artifacts. Only the last parts of a URI count, because the root may have been moved."""
    parts = [PurePath(artifact.uri).parts for artifact in artifacts]
    return {"/".join(each[-4:-1] if each[-1] == "value" else each[-3:]) for each in parts if len(each) > 3}


def _result(graph: _Graph, execution: int, artifacts: list[mlmd.Artifact]) -> Result:
    users = {user for artifact in artifacts for user in graph.users(artifact.id)}
    runs = frozenset(graph.runs[user] for user in users if user in graph.runs)
    job, _, component = graph.nodes.get(execution, "").rpartition(".")
    return Result(job, component, runs)


def _run(layout: Layout, record: RunRecord) -> RunFacts:
    by_steps = (run_dir(Path(layout.root), record.run_id) / _STEPS_FILE).exists()
    version = record.pushed.version if record.pushed and record.state is RunState.PUSHED else None
    return RunFacts(record.run_id, record.name, record.state, by_steps, version)


def _blessed(graph: _Graph) -> Iterable[Compared]:
    """Yields the blessed models, as LastBlessedOther finds them."""
    for blessing in graph.live("ModelBlessing"):
        model = graph.artifacts.get(blessing.custom_properties["current_model_id"].int_value)
        if model is None or model.state != mlmd.Artifact.LIVE:
            continue
        if blessing.custom_properties["blessed"].int_value == 1:
            producers = (graph.producer(model.id), graph.producer(blessing.id))
            yield Compared(_job(graph, blessing), str(model.id), frozenset(filter(None, producers)))


def _validated(graph: _Graph) -> Iterable[Compared]:
    """Yields the statistics that passed validation, as PreviousStatistics finds them."""
    passed: dict[int, set[int]] = defaultdict(set)
    for anomalies in graph.live("ExampleAnomalies"):
        for execution in graph.outputs[anomalies.id]:
            for artifact in graph.consumed(execution):
                passed[artifact.id].add(graph.producer(anomalies.id) or execution)
    for statistics in graph.live("ExampleStatistics"):
        producer = graph.producer(statistics.id)
        if producer is not None and passed[statistics.id]:
            examples = graph.consumed(producer)
            corpus = sorted(one.custom_properties["input_fingerprint"].string_value for one in examples)
            results = frozenset({producer, min(passed[statistics.id])})
            yield Compared(_job(graph, statistics), json.dumps(corpus), results)


def _tuned(graph: _Graph) -> Iterable[Compared]:
    found = sorted(graph.live("HyperParameters"), key=lambda artifact: artifact.id)
    for best in found:
        producer = graph.producer(best.id)
        if producer is not None:
            yield Compared(_job(graph, best), str(best.id), frozenset({producer}))


def _job(graph: _Graph, artifact: mlmd.Artifact) -> str:
    return graph.job(graph.producer(artifact.id) or 0)


def _published(graph: _Graph, versions: tuple[int, ...]) -> dict[int, frozenset[int]]:
    """Returns the results that published versions come from: the model, its blessing, and what the Pusher wrote."""
    found: dict[int, set[int]] = defaultdict(set)
    for pushed in graph.live("PushedModel"):
        version = pushed.custom_properties["pushed_version"].string_value
        new = pushed.custom_properties["pushed"].int_value == 1
        if new and _VERSION.fullmatch(version) and int(version) in versions:
            for execution in graph.outputs[pushed.id]:
                used = {graph.producer(artifact.id) for artifact in graph.consumed(execution)}
                found[int(version)] |= {execution, *(number for number in used if number is not None)}
    return {version: frozenset(results) for version, results in found.items()}


def _copies(layout: Layout, graph: _Graph, results: Iterable[int]) -> dict[str, StampedCopy]:
    """Returns the copies of files, whose names have digests of their contents."""
    root = Path(layout.root)
    manifests = {path.parent.name: path.read_text() for path in root.glob(f"logs/*/{_STEPS_FILE}")}
    parameters = {number: graph.parameters(number) for number in results}
    found = {}
    for path in (path for folder in _COPIES for path in root.glob(f"{folder}/[!.]*")):
        used = frozenset(number for number, text in parameters.items() if path.name in text)
        runs = frozenset(run for run, text in manifests.items() if path.name in text)
        found[path.relative_to(root).as_posix()] = StampedCopy(used, runs)
    return found


def _versions(serving: Path) -> tuple[int, ...]:
    names = [path.parent.name for path in serving.glob("*/saved_model.pb")]
    return tuple(sorted(int(name) for name in names if _VERSION.fullmatch(name)))
