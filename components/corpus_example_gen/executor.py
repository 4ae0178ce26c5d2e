"""The executor: writes the corpus files to an Examples artifact."""

from __future__ import annotations

import json
import posixpath
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tfx import types
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs

from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.inputs.listing import read_listing
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.corpus_example_gen.writing import accounting, conversion, quarantine
from components.corpus_example_gen.writing.split_assignment import SplitRule, shard_counts
from components.shared import memory
from components.shared.beam_results import read_json
from components.shared.tfrecord_file import remove_partials
from trainer.jobs import progress
from trainer.settings import OutputSettings


class CorpusExampleGenExecutor(base_beam_executor.BaseBeamExecutor):
    """Runs `conversion.WriteCorpus` on the matching files and checks its counts."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the splits and sets the artifact's properties.

        Raises:
            JobError: If the corpus or a split is empty, or too many records are bad.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        memory.share_arenas()
        listing = read_listing(exec_properties["inputs_dir"])
        given = json.dumps({**json.loads(exec_properties["settings"]), "path": listing.path})
        settings = CorpusSettings.model_validate_json(given)
        output = OutputSettings.model_validate_json(exec_properties["output"])
        if isinstance(settings.path, dict):
            rule = SplitRule("file", dict.fromkeys(settings.path, 1))
        else:
            splits = SplitSettings.model_validate_json(exec_properties["splits"])
            rule = SplitRule("hash" if settings.split is None else "column", splits.weights)
        examples = artifact_utils.get_single_instance(output_dict[standard_component_specs.EXAMPLES_KEY])
        bad_folder = posixpath.join(exec_properties["quarantine_dir"], posixpath.basename(examples.uri.rstrip("/")))
        counts = shard_counts(rule.sizes(listing.files), output.shard_mb << 20)
        plan = conversion.Plan(settings, rule, counts, output, tuple(listing.spans))
        result = self._write(listing.files, plan, conversion.Destination(examples.uri, bad_folder, self._get_tmp_dir()))
        accounting.check(
            result,
            pattern=listing.patterns,
            rule=rule,
            max_bad_fraction=settings.max_bad_fraction,
            quarantine=quarantine.quarantine_file(bad_folder),
        )
        _describe(examples, result, output)
        progress.report(result.read, result.read, "records")

    def _write(
        self,
        found: list[tuple[str | None, CorpusFile]],
        plan: conversion.Plan,
        destination: conversion.Destination,
    ) -> accounting.Summary:
        try:
            with self._make_beam_pipeline() as pipeline:
                files = pipeline | "Files" >> beam.Create(conversion.file_elements(found), reshuffle=False)
                files | "WriteCorpus" >> conversion.WriteCorpus(plan, [file.path for _, file in found], destination)
        finally:
            # Killed attempts leave partial files next to the splits.
            remove_partials(destination.examples)
            if tf.io.gfile.isdir(destination.spill):
                tf.io.gfile.rmtree(destination.spill)
        return accounting.from_events(read_json(destination.summary), plan.splits.names)


def _describe(examples: types.Artifact, counts: accounting.Summary, output: OutputSettings) -> None:
    """Sets the format and the counts.

    TFX only accepts the name of gzipped TFRecords as a file format; without a name, it goes by the files' suffixes.
    """
    examples.split_names = artifact_utils.encode_split_names(list(counts.written))
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE)
    if output.compression == "gzip":
        examples_utils.set_file_format(examples, write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP))
    examples.set_int_custom_property("records_read", counts.read)
    examples.set_int_custom_property("records_spanning_lines", counts.spanning)
    examples.set_int_custom_property("records_quarantined", counts.quarantined)
    examples.set_int_custom_property("duplicates_removed", counts.removed)
    examples.set_string_custom_property("split_documents", json.dumps(counts.written))
    examples.set_string_custom_property("split_duplicates", json.dumps(counts.duplicates))
    examples.set_string_custom_property("quarantine_reasons", json.dumps(counts.reasons))
