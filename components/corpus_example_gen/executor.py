"""The executor: files of the corpus to an Examples artifact."""

from __future__ import annotations

import json
import posixpath
from typing import Any

import apache_beam as beam
from tfx import types
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.beam_results import read_json
from components.corpus_example_gen import files, quarantine, summary, transform
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from trainer import progress


class CorpusExampleGenExecutor(base_beam_executor.BaseBeamExecutor):
    """Runs `transform.WriteCorpus` over the matching files and checks its counts."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the splits and describes them on the artifact.

        Raises:
            JobError: If there is nothing to read, too much of it is bad, or a split is empty.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = CorpusSettings.model_validate_json(exec_properties["settings"])
        weights = SplitSettings.model_validate_json(exec_properties["splits"]).weights
        examples = artifact_utils.get_single_instance(output_dict[standard_component_specs.EXAMPLES_KEY])
        pattern = _pattern(exec_properties)
        bad_folder = posixpath.join(exec_properties["quarantine_dir"], posixpath.basename(examples.uri.rstrip("/")))
        found = files.require_files(pattern)
        counts = self._write(found, settings, weights, examples.uri, bad_folder)
        summary.check(
            counts,
            pattern=pattern,
            weights=weights,
            max_bad_fraction=settings.max_bad_fraction,
            quarantine=quarantine.quarantine_file(bad_folder),
        )
        _describe(examples, counts)
        progress.report(counts.read, counts.read, "records")

    def _write(
        self,
        found: list[files.CorpusFile],
        settings: CorpusSettings,
        weights: dict[str, int],
        examples_uri: str,
        bad_folder: str,
    ) -> summary.Summary:
        scratch = self._get_tmp_dir()
        destination = transform.Destination(examples_uri, bad_folder, posixpath.join(scratch, "summary.json"))
        shards = transform.shard_counts(sum(file.size for file in found), weights)
        with self._make_beam_pipeline() as pipeline:
            paths = pipeline | "Files" >> beam.Create([file.path for file in found], reshuffle=False)
            paths | "WriteCorpus" >> transform.WriteCorpus(settings, weights, shards, destination)
        return summary.from_events(read_json(destination.summary), weights)


def _pattern(exec_properties: dict[str, Any]) -> str:
    """Returns the pattern of the files, in which the driver has filled the span in."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], config)
    base: str = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    return posixpath.join(base, config.splits[0].pattern)


def _describe(examples: types.Artifact, counts: summary.Summary) -> None:
    """Sets what consumers need to read the artifact, and the counts."""
    examples.split_names = artifact_utils.encode_split_names(list(counts.written))
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE)
    examples_utils.set_file_format(examples, write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP))
    examples.set_int_custom_property("records_read", counts.read)
    examples.set_int_custom_property("records_quarantined", counts.quarantined)
    examples.set_string_custom_property("split_documents", json.dumps(counts.written))
    examples.set_string_custom_property("quarantine_reasons", json.dumps(counts.reasons))
