"""Reads a run from ML Metadata: executions by component, and their artifacts."""

from __future__ import annotations

import dataclasses
from typing import Any

from google.protobuf.json_format import MessageToDict
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd


@dataclasses.dataclass(frozen=True)
class Output:
    """An artifact of a component, with its custom properties by name."""

    uri: str
    properties: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Execution:
    """A component's execution in a run.

    Attributes:
        state: ML Metadata's last known state: COMPLETE, CACHED, FAILED, ...
        inputs: Input artifacts by channel.
        outputs: Output artifacts by channel, new or from the cache.
    """

    state: str
    inputs: dict[str, Output]
    outputs: dict[str, Output]


def latest_run(sqlite: str) -> dict[str, Execution]:
    """Returns the executions of the latest pipeline run in a SQLite file of ML Metadata, by component."""
    store = _open(sqlite)
    runs = store.get_contexts_by_type("pipeline_run")
    run = max(runs, key=lambda context: context.id)
    return {
        _component(store, execution): _execution(store, execution)
        for execution in sorted(store.get_executions_by_context(run.id), key=lambda execution: execution.id)
    }


def has_artifact(sqlite: str, kind: str) -> bool:
    """Returns whether a SQLite file of ML Metadata, created if missing, has a live artifact of a type."""
    return any(artifact.state == mlmd.Artifact.LIVE for artifact in _open(sqlite).get_artifacts_by_type(kind))


def _open(sqlite: str) -> metadata_store.MetadataStore:
    connection = mlmd.ConnectionConfig()
    connection.sqlite.filename_uri = sqlite
    connection.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return metadata_store.MetadataStore(connection)


def _component(store: metadata_store.MetadataStore, execution: mlmd.Execution) -> str:
    """Returns an execution's component, from the node's context, which TFX names `<pipeline>.<component>`."""
    contexts = store.get_contexts_by_execution(execution.id)
    name: str = next(context.name for context in contexts if context.type == "node")
    return name.rpartition(".")[2]


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
    return Execution(mlmd.Execution.State.Name(execution.last_known_state), inputs, outputs)


def _value(value: mlmd.Value) -> Any:
    kind = value.WhichOneof("value")
    plain = getattr(value, kind)
    return MessageToDict(plain) if kind == "struct_value" else plain
