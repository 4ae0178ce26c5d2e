"""Runs LearningCheck on artifacts."""

from __future__ import annotations

import dataclasses
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.learning_check.component import FINDINGS
from components.shared import example_files
from components.shared.artifacts import ArtifactMap
from components.shared.beam_results import write_json
from trainer.jobs import dotted
from trainer.jobs.learnable_task import LearnableTask
from trainer.jobs.training_job import TrainingJob


class LearningCheckExecutor(base_executor.BaseExecutor):
    """Checks the model of a task on the train split."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Writes the findings.

        Raises:
            JobError: If the model cannot learn.
        """
        examples = artifact_utils.get_single_uri(input_dict["examples"])
        job = TrainingJob(
            train_files=example_files.shard_paths(examples, "train"),
            eval_files=example_files.shard_paths(examples, "eval"),
            transform_graph=artifact_utils.get_single_uri(input_dict["transform_graph"]),
        )
        task: LearnableTask[Any] = dotted.load(exec_properties["training"])
        findings = task.check(job, task.settings.model_validate_json(exec_properties["settings"]))
        output = artifact_utils.get_single_uri(output_dict["model_run"])
        write_json(dataclasses.asdict(findings), f"{output}/{FINDINGS}")
