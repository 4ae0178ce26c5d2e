"""Runs TFX's Evaluator, and then compares the model with the linear one."""

from __future__ import annotations

import json
from typing import Any

import tensorflow as tf
from tfx.components.evaluator import constants
from tfx.components.evaluator import executor as stock
from tfx.types import artifact_utils

from components.evaluator import results
from components.evaluator.margins import Margin, failed
from components.linear_baseline.component import read_results
from components.shared.artifacts import ArtifactMap


class LinearGatedExecutor(stock.Executor):
    """TFX's Evaluator, whose blessing is withdrawn from a model without the margins over the linear one."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Evaluates the model; blesses it if it meets all thresholds and all margins."""
        super().Do(input_dict, output_dict, exec_properties)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        if blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) != constants.BLESSED_VALUE:
            return
        model = "candidate" if input_dict.get("baseline_model") else None
        metrics = results.read_metrics(artifact_utils.get_single_uri(output_dict["evaluation"]), model)
        linear = read_results(artifact_utils.get_single_uri(input_dict["linear_baseline"]))["linear"]["metrics"]
        margins = {name: Margin(*margin) for name, margin in json.loads(exec_properties["margins"]).items()}
        if any(failed(margins, metrics[results.OVERALL], linear)):
            tf.io.gfile.rename(
                f"{blessing.uri}/{constants.BLESSED_FILE_NAME}", f"{blessing.uri}/{constants.NOT_BLESSED_FILE_NAME}"
            )
            blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, constants.NOT_BLESSED_VALUE)
