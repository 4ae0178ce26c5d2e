"""The choice of the model that a training starts from."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from tfx.dsl.components.common import resolver

from components.pusher.withdrawn_models import WithdrawnModels
from components.shared.artifacts import ArtifactMap
from components.shared.executions import INPUTS, OUTPUTS, artifacts_of, executions_of, fingerprints


class LastBlessedBefore(resolver.ResolverStrategy):
    """Resolves to the last model that was blessed before a model was first trained on the files behind the examples.

    So training again on the same files, also after newer ones, starts from the same model: it comes from the cache, or
    gives the same result. The inputs are `examples`, the transformed examples of the run, `model` and `model_blessing`;
    the latter two resolve to one artifact or none. A model that was rolled back is none to start from.

    Args:
        withdrawn: The keys of the models that were rolled back.
    """

    def __init__(self, withdrawn: Collection[str] = ()) -> None:
        self._withdrawn = WithdrawnModels(withdrawn)

    def resolve_artifacts(self, store: Any, input_dict: ArtifactMap) -> ArtifactMap:
        """Picks the artifacts; see the class."""
        (examples,) = input_dict["examples"]
        files = _files(store, examples.id)
        models = {artifact.id: artifact for artifact in input_dict["model"]}
        made = {model: executions_of(store, model, OUTPUTS) for model in models}
        same = [made[model] for model in models if files in _files_of_training(store, made[model])]
        first: float = min((execution for executions in same for execution in executions), default=math.inf)
        best, found = -1, None
        for blessing in input_dict["model_blessing"]:
            model = models.get(blessing.get_int_custom_property("current_model_id"))
            earlier = [one for one in executions_of(store, blessing.id, OUTPUTS) if one < first]
            blessed = blessing.get_int_custom_property("blessed") == 1
            if model is None or model in self._withdrawn:
                continue
            if blessed and earlier and max(earlier) > best:
                best, found = max(earlier), (model, blessing)
        model, blessing = ([found[0]], [found[1]]) if found else ([], [])
        return {**input_dict, "model": model, "model_blessing": blessing}


def _files_of_training(store: Any, executions: list[int]) -> list[set[str]]:
    """Returns the fingerprints of the files behind each examples that a training has read."""
    inputs = artifacts_of(store, executions, INPUTS)
    return [_files(store, artifact.id) for artifact in inputs if artifact.type == "Examples"]


def _files(store: Any, transformed: int) -> set[str]:
    """Returns the fingerprints of the files behind transformed examples."""
    return fingerprints(artifacts_of(store, executions_of(store, transformed, OUTPUTS), INPUTS))
