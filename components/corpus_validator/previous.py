"""The choice of the previous examples that a corpus is compared with."""

from __future__ import annotations

from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.components.common import resolver

from components.shared.artifacts import ArtifactMap
from components.shared.executions import (
    INPUTS,
    OUTPUTS,
    artifacts_of,
    executions_of,
    fingerprints,
    last_executions,
)


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
    """Returns the fingerprints of the files behind statistics."""
    return fingerprints(artifacts_of(store, executions_of(store, statistics, OUTPUTS), INPUTS))


def _passed(store: Any, statistics: int) -> bool:
    """Whether a validation of the statistics has written anomalies: a failed one leaves none."""
    consumers = executions_of(store, statistics, INPUTS)
    return any(
        artifact.type == "ExampleAnomalies" and artifact.state == mlmd.Artifact.LIVE
        for artifact in artifacts_of(store, consumers, OUTPUTS)
    )
