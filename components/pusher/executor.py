"""Runs Publisher on artifacts."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.pusher.publish import publish
from components.shared.artifacts import ArtifactMap


class PusherExecutor(base_executor.BaseExecutor):
    """Publishes as TFX's Pusher does: with atomic versions, a limit on their number, and no model twice in a row."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Publishes the model if it is blessed and new; records the newest version on the artifact."""
        self._log_startup(input_dict, output_dict, exec_properties)
        result = artifact_utils.get_single_instance(output_dict["pushed_model"])
        blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        if blessing.get_int_custom_property("blessed") != 1:
            result.set_int_custom_property("pushed", 0)
            return
        model = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))
        directory = exec_properties["directory"]
        version, new = publish(model, directory, exec_properties["keep"])
        result.set_int_custom_property("pushed", int(new))
        result.set_string_custom_property("pushed_destination", f"{directory}/{version}")
        result.set_string_custom_property("pushed_version", str(version))
