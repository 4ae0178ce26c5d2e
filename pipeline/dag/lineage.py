"""Reads a run from ML Metadata: executions by component, and their artifacts."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from ml_metadata import errors, metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.store.server_store import open_store
from trainer.errors import JobError

_OUTPUT_URI = re.compile(r".*/artifacts/([^/]+/[^/]+/[0-9]+(?:/.*)?)", re.DOTALL)
"""A URI of TFX: the folder of artifacts, the component, the channel, and the execution."""


@dataclasses.dataclass(frozen=True)
class Output:
    """An artifact of a component, with its custom properties by name."""

    uri: str
    properties: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Execution:
    """A component's execution in a run.

    Attributes:
        inputs: Input artifacts by channel.
        outputs: Output artifacts by channel, new or from the cache.
    """

    inputs: dict[str, Output]
    outputs: dict[str, Output]


def sqlite(path: str) -> mlmd.ConnectionConfig:
    """Returns the connection to a SQLite file of ML Metadata, which is created if missing."""
    connection = mlmd.ConnectionConfig()
    connection.sqlite.filename_uri = path
    connection.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return connection


def relocate(connection: mlmd.ConnectionConfig, pipeline: str, artifacts: str) -> None:
    """Updates the URIs of a pipeline whose root was moved or copied; `artifacts` is its folder of artifacts now."""
    store = open_store(connection)
    moved = []
    for artifact in _artifacts(store, pipeline):
        inner = _OUTPUT_URI.fullmatch(artifact.uri)
        if inner and artifact.uri != f"{artifacts}/{inner[1]}":
            artifact.uri = f"{artifacts}/{inner[1]}"
            moved.append(artifact)
    if moved:
        store.put_artifacts(moved)


def read_run(connection: mlmd.ConnectionConfig, pipeline: str, run_id: str) -> dict[str, Execution]:
    """Returns the executions of a run of a pipeline by component, the last one of each."""
    store = open_store(connection)
    found = _last_executions(store, pipeline, run_id)
    return {component: _execution(store, execution) for component, execution in found.items()}


def read_finished(connection: mlmd.ConnectionConfig, pipeline: str, run_id: str) -> dict[str, bool]:
    """Returns the finished components of a run of a pipeline, each with whether its results are from the cache."""
    found = _last_executions(open_store(connection), pipeline, run_id)
    states = {component: execution.last_known_state for component, execution in found.items()}
    cached = {mlmd.Execution.COMPLETE: False, mlmd.Execution.CACHED: True}
    return {component: cached[state] for component, state in states.items() if state in cached}


def check_run_id(connection: mlmd.ConnectionConfig, run_id: str) -> None:
    """Checks that a store does not take the id of a run for that of another.

    Raises:
        JobError: If it does, as MySQL does for ids that differ only in case.
    """
    run = _context(open_store(connection), "pipeline_run", run_id)
    if run is not None and run.name != run_id:
        raise JobError(
            "The id of the run differs from that of another only in case.",
            where=f"run {run_id}",
            found=f"run {run.name} in the metadata store, which cannot tell them apart",
            fix="use another --run-id",
        )


def _context(store: metadata_store.MetadataStore, kind: str, name: str) -> mlmd.Context | None:
    try:
        return store.get_context_by_type_and_name(kind, name)
    except errors.NotFoundError:  # The store has no context of the kind at all.
        return None


def _last_executions(store: metadata_store.MetadataStore, pipeline: str, run_id: str) -> dict[str, mlmd.Execution]:
    run = _context(store, "pipeline_run", run_id)
    executions = [] if run is None else store.get_executions_by_context(run.id)
    found = {}
    for execution in sorted(executions, key=lambda execution: execution.id):
        # TFX names the context of a node `<pipeline>.<component>`.
        contexts = store.get_contexts_by_execution(execution.id)
        node = next(context.name for context in contexts if context.type == "node")
        owner, _, component = node.rpartition(".")
        if owner == pipeline:
            found[component] = execution
    return found


def has_artifact(connection: mlmd.ConnectionConfig, pipeline: str, kind: str) -> bool:
    """Returns whether a pipeline has a live artifact of a type."""
    artifacts = _artifacts(open_store(connection), pipeline)
    return any(artifact.type == kind and artifact.state == mlmd.Artifact.LIVE for artifact in artifacts)


def _artifacts(store: metadata_store.MetadataStore, pipeline: str) -> Sequence[mlmd.Artifact]:
    """Returns the artifacts of a pipeline."""
    context = _context(store, "pipeline", pipeline)
    # No filter_query: the ML Metadata of tfx 1.21 does not support it.
    return [] if context is None else store.get_artifacts_by_context(context.id)


def _execution(store: metadata_store.MetadataStore, execution: mlmd.Execution) -> Execution:
    inputs: dict[str, Output] = {}
    outputs: dict[str, Output] = {}
    events = store.get_events_by_execution_ids([execution.id])
    artifacts = {a.id: a for a in store.get_artifacts_by_id([event.artifact_id for event in events])}
    for event in events:
        side = outputs if event.type in (mlmd.Event.OUTPUT, mlmd.Event.INTERNAL_OUTPUT) else inputs
        artifact = artifacts[event.artifact_id]
        properties = {name: _value(value) for name, value in artifact.custom_properties.items()}
        side[event.path.steps[0].key] = Output(artifact.uri, properties)
    return Execution(inputs, outputs)


def _value(value: mlmd.Value) -> Any:
    kind = value.WhichOneof("value")
    plain = getattr(value, kind)
    return MessageToDict(plain) if kind == "struct_value" else plain
