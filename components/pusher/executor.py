"""Runs Publisher on artifacts."""

from __future__ import annotations

from typing import Any

from tfx.components.pusher import executor as stock
from tfx.types import artifact_utils

from components.pusher.publish import publish
from components.shared.artifacts import ArtifactMap


class PusherExecutor(stock.Executor):
    """TFX's Pusher with atomic versions, a limit on their number, and no second push of the same model."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Publishes the model if it is blessed and new; records the newest version on the artifact."""
        self._log_startup(input_dict, output_dict, exec_properties)
        result = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(result)
            return
        directory = exec_properties["directory"]
        version, new = publish(self.GetModelPath(input_dict), directory, exec_properties["keep"])
        result.set_int_custom_property("pushed", int(new))
        result.set_string_custom_property("pushed_destination", f"{directory}/{version}")
        result.set_string_custom_property("pushed_version", str(version))
