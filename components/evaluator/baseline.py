"""The choice of the model that the candidate is compared with."""

from __future__ import annotations

from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.components.common import resolver

from components.shared.artifacts import ArtifactMap


class LastBlessedOther(resolver.ResolverStrategy):
    """Resolves to the last blessed model other than the candidate; a blessing from the cache counts as a new one.

    TFX's own strategy compares an unchanged model with itself on the next run. The inputs are `candidate`, `model`
    and `model_blessing`; the latter two resolve to one artifact or none.
    """

    def resolve_artifacts(self, store: Any, input_dict: ArtifactMap) -> ArtifactMap:
        """Picks the artifacts; see the class."""
        candidates = {artifact.id for artifact in input_dict["candidate"]}
        models = {artifact.id: artifact for artifact in input_dict["model"] if artifact.id not in candidates}
        last = _last_executions(store, [artifact.id for artifact in input_dict["model_blessing"]])
        for blessing in sorted(input_dict["model_blessing"], key=lambda artifact: last[artifact.id], reverse=True):
            model = models.get(blessing.get_int_custom_property("current_model_id"))
            if model is not None and blessing.get_int_custom_property("blessed") == 1:
                return {**input_dict, "model": [model], "model_blessing": [blessing]}
        return {**input_dict, "model": [], "model_blessing": []}


def _last_executions(store: Any, artifacts: list[int]) -> dict[int, int]:
    """Returns the last execution that output each artifact; an execution from the cache outputs an old one again."""
    events = store.get_events_by_artifact_ids(artifacts) if artifacts else []
    ordered = sorted(events, key=lambda event: event.execution_id)
    return {event.artifact_id: event.execution_id for event in ordered if event.type == mlmd.Event.OUTPUT}
