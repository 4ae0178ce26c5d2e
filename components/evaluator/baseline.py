"""The choice of the model that the candidate is compared with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tfx.dsl.components.common import resolver

from components.pusher.withdrawn_models import WithdrawnModels
from components.shared.artifacts import ArtifactMap
from components.shared.executions import last_executions


class LastBlessedOther(resolver.ResolverStrategy):
    """Resolves to the last blessed model other than the candidate; a blessing from the cache counts as a new one.

    TFX's own strategy compares an unchanged model with itself on the next run. A model that was rolled back is none to
    compare with. The inputs are `candidate`, `model` and `model_blessing`; the latter two resolve to one artifact or
    none.

    Args:
        withdrawn: The keys of the models that were rolled back.
    """

    def __init__(self, withdrawn: Collection[str] = ()) -> None:
        self._withdrawn = WithdrawnModels(withdrawn)

    def resolve_artifacts(self, store: Any, input_dict: ArtifactMap) -> ArtifactMap:
        """Picks the artifacts; see the class."""
        candidates = {artifact.id for artifact in input_dict["candidate"]}
        models = {artifact.id: artifact for artifact in input_dict["model"] if artifact.id not in candidates}
        last = last_executions(store, [artifact.id for artifact in input_dict["model_blessing"]])
        for blessing in sorted(input_dict["model_blessing"], key=lambda artifact: last[artifact.id], reverse=True):
            model = models.get(blessing.get_int_custom_property("current_model_id"))
            blessed = blessing.get_int_custom_property("blessed") == 1
            if model is not None and blessed and model not in self._withdrawn:
                return {**input_dict, "model": [model], "model_blessing": [blessing]}
        return {**input_dict, "model": [], "model_blessing": []}
