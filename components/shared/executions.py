"""Executions in ML Metadata."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd

INPUTS = (mlmd.Event.INPUT, mlmd.Event.DECLARED_INPUT)
"""The kinds of events of an input."""

OUTPUTS = (mlmd.Event.OUTPUT, mlmd.Event.DECLARED_OUTPUT)
"""The kinds of events of an output, new or from the cache."""

_FINGERPRINT = "input_fingerprint"


def last_executions(store: Any, artifacts: list[int]) -> dict[int, int]:
    """Returns the last execution that output each artifact; an execution from the cache outputs an old one again."""
    events = store.get_events_by_artifact_ids(artifacts) if artifacts else []
    ordered = sorted(events, key=lambda event: event.execution_id)
    return {event.artifact_id: event.execution_id for event in ordered if event.type in OUTPUTS}


def executions_of(store: Any, artifact: int, kinds: Sequence[int]) -> list[int]:
    """Returns the executions that an artifact is an input or output of; `kinds` is `INPUTS` or `OUTPUTS`."""
    return [event.execution_id for event in store.get_events_by_artifact_ids([artifact]) if event.type in kinds]


def artifacts_of(store: Any, executions: list[int], kinds: Sequence[int]) -> list[mlmd.Artifact]:
    """Returns the inputs or outputs of executions; `kinds` is `INPUTS` or `OUTPUTS`."""
    events = store.get_events_by_execution_ids(executions) if executions else []
    ids = sorted({event.artifact_id for event in events if event.type in kinds})
    return list(store.get_artifacts_by_id(ids)) if ids else []


def fingerprints(artifacts: Iterable[mlmd.Artifact]) -> set[str]:
    """Returns the fingerprints of the files behind raw examples, which CorpusExampleGen records on them."""
    return {artifact.custom_properties[_FINGERPRINT].string_value for artifact in artifacts}
