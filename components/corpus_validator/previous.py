"""The choice of the previous examples that a corpus is compared with."""

from __future__ import annotations

from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.components.common import resolver

from components.shared.artifacts import ArtifactMap
from components.shared.executions import OUTPUTS, last_executions

_FINGERPRINT = "input_fingerprint"
_INPUTS = (mlmd.Event.INPUT, mlmd.Event.DECLARED_INPUT)


class PreviousStatistics(resolver.ResolverStrategy):
    """Resolves to the last statistics of other examples that passed validation; those from the cache count as new.

    Failed examples do not serve as a reference: corrected ones would then fail because of drift.
    The inputs are `current`, the statistics of the run, and `statistics`, which resolves to one artifact or none.
    """

    def resolve_artifacts(self, store: Any, input_dict: ArtifactMap) -> ArtifactMap:
        """Picks the artifact; see the class."""
        (current,) = input_dict["current"]
        corpus = _corpus(store, current.id)
        last = last_executions(store, [artifact.id for artifact in input_dict["statistics"]])
        for artifact in sorted(input_dict["statistics"], key=lambda artifact: last[artifact.id], reverse=True):
            if _corpus(store, artifact.id) != corpus and _passed(store, artifact.id):
                return {**input_dict, "statistics": [artifact]}
        return {**input_dict, "statistics": []}


def _corpus(store: Any, statistics: int) -> set[str]:
    """Returns the fingerprints of the files behind statistics, which CorpusExampleGen records on its examples."""
    producers = _executions(store, statistics, OUTPUTS)
    return {artifact.custom_properties[_FINGERPRINT].string_value for artifact in _artifacts(store, producers, _INPUTS)}


def _passed(store: Any, statistics: int) -> bool:
    """Whether a validation of the statistics has written anomalies: a failed one leaves none."""
    consumers = _executions(store, statistics, _INPUTS)
    return any(
        artifact.type == "ExampleAnomalies" and artifact.state == mlmd.Artifact.LIVE
        for artifact in _artifacts(store, consumers, OUTPUTS)
    )


def _executions(store: Any, artifact: int, kinds: tuple[int, ...]) -> list[int]:
    return [event.execution_id for event in store.get_events_by_artifact_ids([artifact]) if event.type in kinds]


def _artifacts(store: Any, executions: list[int], kinds: tuple[int, ...]) -> list[mlmd.Artifact]:
    events = store.get_events_by_execution_ids(executions) if executions else []
    ids = sorted({event.artifact_id for event in events if event.type in kinds})
    return list(store.get_artifacts_by_id(ids)) if ids else []
