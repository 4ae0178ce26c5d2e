"""Which model the candidate is compared with."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.dsl.components.common import resolver


class LastBlessedOther(resolver.ResolverStrategy):
    """Resolves to the model blessed last that is not the candidate itself.

    TFX's own strategy would compare an unchanged model with itself on the next run. Takes the inputs
    `candidate`, `model` and `model_blessing`; the latter two resolve to one artifact or none.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Picks the artifacts; see the class."""
        del store
        candidates = {artifact.id for artifact in input_dict["candidate"]}
        models = {artifact.id: artifact for artifact in input_dict["model"] if artifact.id not in candidates}
        for blessing in sorted(input_dict["model_blessing"], key=lambda artifact: artifact.id, reverse=True):
            model = models.get(blessing.get_int_custom_property("current_model_id"))
            if model is not None and blessing.get_int_custom_property("blessed") == 1:
                return {**input_dict, "model": [model], "model_blessing": [blessing]}
        return {**input_dict, "model": [], "model_blessing": []}
