"""Executions in ML Metadata."""

from __future__ import annotations

from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd

OUTPUTS = (mlmd.Event.OUTPUT, mlmd.Event.DECLARED_OUTPUT)
"""The kinds of events of an output, new or from the cache."""


def last_executions(store: Any, artifacts: list[int]) -> dict[int, int]:
    """Returns the last execution that output each artifact; an execution from the cache outputs an old one again."""
    events = store.get_events_by_artifact_ids(artifacts) if artifacts else []
    ordered = sorted(events, key=lambda event: event.execution_id)
    return {event.artifact_id: event.execution_id for event in ordered if event.type in OUTPUTS}
