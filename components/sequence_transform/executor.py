"""Runs SequenceTransform on artifacts."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from typing import Any

import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.beam_results import WriteJson, read_json, write_json
from components.sequence_transform import transform
from components.sequence_transform.shards import ShardReport
from components.sequence_transform.vocabulary import TokenCounts, select_words, write_labels, write_vocabulary
from trainer import progress
from trainer.errors import JobError
from trainer.settings import TransformSettings

_SHARDS = "data_tfrecord-*.gz"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Counts the train split's words, makes the graph, writes every split through it."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the transform graph, the transformed splits and `summary.json`.

        Raises:
            JobError: If the vocabulary is empty, a label is no class, or documents were lost.
        """
        raw = artifact_utils.get_single_instance(input_dict["examples"])
        transformed = artifact_utils.get_single_instance(output_dict["transformed_examples"])
        graph_directory = artifact_utils.get_single_uri(output_dict["transform_graph"])
        settings = TransformSettings.model_validate_json(exec_properties["settings"])
        schema = io_utils.SchemaReader().read(
            io_utils.get_only_uri_in_dir(artifact_utils.get_single_uri(input_dict["schema"]))
        )
        splits = artifact_utils.decode_split_names(raw.split_names)

        counts = self._count(_files(raw.uri, "train"), settings)
        words = select_words(counts.tokens, settings)
        labels = json.loads(exec_properties["labels"]) or sorted(counts.labels)
        assets = (write_vocabulary(graph_directory, words), write_labels(graph_directory, labels))
        shards = [(s, path, _target(path, transformed.uri, s)) for s in splits for path in _files(raw.uri, s)]
        reports = self._transform(shards, schema, settings, assets, graph_directory)

        _check(reports, raw, labels)
        summary = {split: _split_summary(report) for split, report in reports.items()}
        summary["vocabulary"] = {"words": len(words), "train_types": len(counts.tokens)}
        write_json(summary, f"{graph_directory}/summary.json")
        write_json(settings.model_dump(), f"{graph_directory}/settings.json")
        documents = sum(report.documents for report in reports.values())
        progress.report(documents, documents, "records")
        transformed.split_names = raw.split_names
        examples_utils.set_payload_format(transformed, example_gen_pb2.PayloadFormat.FORMAT_TF_SEQUENCE_EXAMPLE)
        examples_utils.set_file_format(transformed, "tfrecords_gzip")

    def _count(self, shards: list[str], settings: TransformSettings) -> TokenCounts:
        path = posixpath.join(self._get_tmp_dir(), "counts.json")
        with self._make_beam_pipeline() as pipeline:
            _ = transform.count(pipeline, shards, settings) | WriteJson(path)
        (counts,) = read_json(path)
        return TokenCounts(Counter(counts["tokens"]), Counter(counts["labels"]), counts["documents"])

    def _transform(
        self,
        shards: list[transform.Shard],
        schema: schema_pb2.Schema,
        settings: TransformSettings,
        assets: tuple[str, str],
        graph_directory: str,
    ) -> dict[str, ShardReport]:
        path = posixpath.join(self._get_tmp_dir(), "reports.json")
        with (
            self._make_beam_pipeline() as pipeline,
            tft_beam.Context(temp_dir=posixpath.join(self._get_tmp_dir(), "tft"), force_tf_compat_v1=False),
        ):
            written = transform.transform(pipeline, shards, schema, settings, assets, graph_directory)
            _ = written | "Report" >> WriteJson(path)
        reports: dict[str, ShardReport] = {}
        for values in read_json(path):
            reports.setdefault(values["split"], ShardReport(values["split"])).add(ShardReport(**values))
        return reports


def _files(uri: str, split: str) -> list[str]:
    return sorted(tf.io.gfile.glob(posixpath.join(uri, f"Split-{split}", _SHARDS)))


def _target(path: str, uri: str, split: str) -> str:
    return posixpath.join(uri, f"Split-{split}", posixpath.basename(path))


def _check(reports: dict[str, ShardReport], raw: types.Artifact, labels: list[str]) -> None:
    """Every document read is written, and every label is a class."""
    expected: dict[str, int] = json.loads(raw.get_string_custom_property("split_documents"))
    written = {split: report.documents for split, report in reports.items()}
    if written != expected:
        raise JobError(
            "Documents were lost or doubled in the transform.",
            where="SequenceTransform",
            found=f"{written} written",
            expected=f"{expected}, as CorpusExampleGen wrote",
            fix="Run again with --no-cache, so that the raw examples are made anew.",
        )
    for split, report in reports.items():
        if report.unlabelled:
            label, count = report.unlabelled.most_common(1)[0]
            raise JobError(
                f"A label of the {split} split is not among the classes.",
                where=f"SequenceTransform, split {split}",
                found=f"{label!r} on {count} documents",
                expected=f"one of {', '.join(labels)}",
                fix="List every class under corpus.labels, or give more documents to train.",
            )


def _split_summary(report: ShardReport) -> dict[str, float]:
    return {
        "documents": report.documents,
        "tokens": report.tokens,
        "empty": report.empty,
        "coverage": 1 - report.unknown / report.tokens if report.tokens else 0.0,
    }
