"""Registers the types of a pipeline in ML Metadata before it runs."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from google.protobuf.message import Message
from ml_metadata import errors
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration.portable.mlmd import common_utils
from tfx.proto.orchestration import pipeline_pb2

from pipeline.store.tfx_metadata import StoreMetadata

_ATTEMPTS = 10


def register_types(pipeline: pipeline_pb2.Pipeline, connection: mlmd.ConnectionConfig) -> None:
    """Registers all types that a compiled pipeline uses.

    TFX registers each type at its first use, where it fails if a run of another pipeline does so at the same time.

    Raises:
        TransientError: If the server does not answer.
    """
    with StoreMetadata(connection) as handle:
        for kind in _types(pipeline):
            for attempt in range(_ATTEMPTS):
                try:
                    common_utils.register_type_if_not_exist(handle, kind)
                    break
                except (errors.StatusError, RuntimeError):
                    # Another process has registered it, or another field of it, in the meantime.
                    if attempt == _ATTEMPTS - 1:
                        raise
                    time.sleep(random.uniform(0.05, 0.5))  # noqa: S311 - no secret


def _types(pipeline: pipeline_pb2.Pipeline) -> Iterator[Message]:
    """Yields the types of a pipeline's executions, contexts and artifacts, each once."""
    found: dict[bytes, Message] = {}
    for node in (each.pipeline_node for each in pipeline.nodes):
        kinds = [node.node_info.type, *(context.type for context in node.contexts.contexts)]
        kinds += [output.artifact_spec.type for output in node.outputs.outputs.values()]
        for kind in kinds:
            found[type(kind).__name__.encode() + kind.SerializeToString(deterministic=True)] = kind
    yield from found.values()
    yield mlmd.ContextType(name="execution_cache")
