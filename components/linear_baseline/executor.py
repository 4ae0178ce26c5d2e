"""Runs LinearBaseline on artifacts."""

from __future__ import annotations

import json
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.linear_baseline.component import RESULTS
from components.linear_baseline.simple_models import measure
from components.shared import example_files
from components.shared.artifacts import ArtifactMap, split_documents
from components.shared.beam_results import write_json
from trainer.data import kinds
from trainer.errors import JobError
from trainer.jobs import progress

_SPLITS = ("train", "eval", "test")


class LinearBaselineExecutor(base_executor.BaseExecutor):
    """Fits simple models on the train split and measures them on the test split."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Writes what they reach.

        Raises:
            JobError: If documents are lost.
        """
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        counts = split_documents(examples)
        expected = {split: counts[split] for split in _SPLITS}
        results = measure(
            {split: example_files.shard_paths(examples.uri, split) for split in _SPLITS},
            expected,
            kinds.by_name(exec_properties["kind"]),
            json.loads(exec_properties["classes"]),
            json.loads(exec_properties["figures"]),
        )
        found = results.pop("documents")
        if found != expected:
            raise JobError(
                "LinearBaseline did not process every document exactly once.",
                where="LinearBaseline",
                found=str(found),
                expected=str(expected),
                fix="run again with --no-cache",
            )
        write_json(results, f"{artifact_utils.get_single_uri(output_dict['evaluation'])}/{RESULTS}")
        progress.report(sum(found.values()), sum(found.values()), "records")
