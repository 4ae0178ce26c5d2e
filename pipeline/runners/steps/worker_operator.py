"""Runs the Trainer's executor in a worker that is not the chief."""

from __future__ import annotations

from tfx.dsl.io import fileio
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import execution_result_pb2
from tfx.types import artifact_utils
from tfx.utils import path_utils

from pipeline.runners.local import LateOperator


class WorkerOperator(LateOperator):
    """Makes the folder of the model, which the executor of TFX requires and only the chief fills."""

    def run_executor(self, execution_info: data_types.ExecutionInfo) -> execution_result_pb2.ExecutorOutput | None:
        """Runs the executor."""
        model = artifact_utils.get_single_uri(execution_info.output_dict["model"])
        fileio.makedirs(path_utils.serving_model_dir(model))
        return super().run_executor(execution_info)
