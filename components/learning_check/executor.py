"""Runs LearningCheck on artifacts."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components.shared import example_files
from trainer.jobs import dotted
from trainer.jobs.job import TrainingJob
from trainer.supervised.supervised import Supervised

FINDINGS = "learning_check.json"
"""The file in the artifact, with the fields of `trainer.supervised.sanity.Findings`."""


class LearningCheckExecutor(base_executor.BaseExecutor):
    """Checks the model of a task on the train split."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes what was found.

        Raises:
            JobError: If the model cannot learn.
        """
        examples = artifact_utils.get_single_uri(input_dict["examples"])
        output = artifact_utils.get_single_uri(output_dict["model_run"])
        job = TrainingJob(
            train_files=example_files.shard_paths(examples, "train"),
            eval_files=example_files.shard_paths(examples, "eval"),
            transform_graph=artifact_utils.get_single_uri(input_dict["transform_graph"]),
            model_directory="",
            log_directory="",
            checkpoints="",
        )
        task: Supervised[Any] = dotted.load(exec_properties["training"])
        findings = task.check(job, task.settings.model_validate_json(exec_properties["settings"]))
        fileio.makedirs(output)
        with fileio.open(f"{output}/{FINDINGS}", "w") as file:
            file.write(json.dumps(dataclasses.asdict(findings)))
