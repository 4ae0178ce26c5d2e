"""Runs the corpus validator on artifacts."""

from __future__ import annotations

import dataclasses
import posixpath
from typing import Any

import apache_beam as beam
import tensorflow as tf
from google.protobuf.message import DecodeError
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.corpus_example_gen.inputs import files
from components.corpus_validator import evidence, statistics, validate
from components.corpus_validator.anomalies import Anomaly, AnomalyError
from components.corpus_validator.scripts import ScriptRule
from components.corpus_validator.settings import ValidationSettings
from components.shared.artifacts import ArtifactMap, read_schema
from components.shared.beam_results import WriteJson, read_json, write_json
from components.shared.example_files import shard_paths, split_folder
from trainer.errors import JobError

COMPARED_SPLIT = "train"
"""The split compared with other examples: the other splits are too small, and drawn from the same distribution."""

ANOMALIES = "anomalies.json"
"""The readable anomalies of a split, next to `SchemaDiff.pb`."""


class CorpusValidatorExecutor(base_beam_executor.BaseBeamExecutor):
    """Writes the anomalies of each split, in the format of TFX's ExampleValidator and with readable descriptions."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Validates every split.

        Raises:
            AnomalyError: If an anomaly is found that the settings do not lower to a warning.
        """
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        current = artifact_utils.get_single_instance(input_dict["statistics"])
        output = artifact_utils.get_single_instance(output_dict["anomalies"])
        settings = ValidationSettings.model_validate_json(exec_properties["settings"])
        schema = read_schema(input_dict)
        names = artifact_utils.decode_split_names(current.split_names)
        split_files = {name: shard_paths(examples.uri, name) for name in names}
        letters = self._letters(split_files, validate.script_rules(schema))
        serving = self._serving(exec_properties["serving_logs"])
        previous = input_dict.get("previous_statistics") or []
        found: list[Anomaly] = []
        blessed = {}
        for name in names:
            compared = name == COMPARED_SPLIT
            split = validate.Split(
                name,
                split_files[name],
                _statistics(current, name),
                {path: counted for (where, path), counted in letters.items() if where == name},
                _statistics(previous[0], name) if compared and previous else None,
                serving if compared else None,
            )
            stock, anomalies = validate.validate(split, schema, settings)
            folder = split_folder(output.uri, name)
            io_utils.write_bytes_file(f"{folder}/SchemaDiff.pb", stock.SerializeToString(deterministic=True))
            write_json([dataclasses.asdict(anomaly) for anomaly in anomalies], f"{folder}/{ANOMALIES}")
            blessed[name] = int(not stock.anomaly_info and not stock.HasField("dataset_anomaly_info"))
            found += anomalies
        output.split_names = artifact_utils.encode_split_names(names)
        output.span = current.span
        output.set_json_value_custom_property("blessed", blessed)
        if not all(anomaly.warning for anomaly in found):
            raise AnomalyError(found)

    def _letters(
        self, split_files: dict[str, list[str]], rules: dict[statistics.FeaturePath, ScriptRule]
    ) -> dict[tuple[str, statistics.FeaturePath], evidence.Letters]:
        if not rules:
            return {}
        path = posixpath.join(self._get_tmp_dir(), "letters.json")
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create([(name, file) for name, paths in split_files.items() for file in paths])
                | "Spread" >> beam.Reshuffle()
                | "CountLetters" >> beam.ParDo(evidence.CountFile(rules))
                | "Report" >> WriteJson(path)
            )
        return evidence.merge(read_json(path))

    def _serving(self, pattern: str) -> validate.Statistics | None:
        if not pattern:
            return None
        paths = [file.path for file in files.require_files(pattern)]
        for path in paths:
            try:
                # A wrong path fails here with a readable error, not inside the pipeline.
                next(evidence.read_file(path), None)
            except (tf.errors.OpError, DecodeError) as error:
                raise JobError(
                    "The serving logs cannot be read.",
                    where=f"validation.serving_logs, {path}",
                    found=str(error).splitlines()[0],
                    expected="TFRecords of raw tf.SequenceExample, plain or .gz",
                ) from error
        target = posixpath.join(self._get_tmp_dir(), "serving.pb")
        return statistics.compute_statistics(paths, target, self._make_beam_pipeline)


def _statistics(artifact: types.Artifact, split: str) -> validate.Statistics | None:
    """Returns the statistics of a split, or None: the previous examples may have other splits."""
    if split not in artifact_utils.decode_split_names(artifact.split_names):
        return None
    return statistics.load(posixpath.join(split_folder(artifact.uri, split), "FeatureStats.pb"))
