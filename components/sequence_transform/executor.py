"""Runs SequenceTransform on artifacts."""

from __future__ import annotations

import json
import logging
import posixpath
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components.sequence_transform import span_counts, transform, vocabulary
from components.sequence_transform.learnable import require_learnable
from components.sequence_transform.shard_report import ShardReport, dataset
from components.sequence_transform.shard_work import ShardJob, count_shard, count_shard_spans, read_batches
from components.sequence_transform.vocabulary import TokenCounts
from components.shared import memory
from components.shared.artifacts import ArtifactMap, describe_examples, read_schema, split_documents
from components.shared.beam_engine import runs_in_process
from components.shared.beam_results import WriteJson, read_json, write_json
from components.shared.example_files import shard_paths, split_folder
from components.shared.tfrecord_file import remove_partials
from trainer.data import kinds
from trainer.data.kinds import CorpusKind
from trainer.errors import JobError
from trainer.jobs import progress
from trainer.settings import RESERVED_WORDS, OutputSettings, TransformSettings
from trainer.text import preprocessing as graph_functions
from trainer.text import subwords
from trainer.text.phrases import Phrase
from trainer.text.phrases import write as write_phrases

_LEFT_PADDING = (
    "transform.pad.side: left rules out the fused cuDNN kernel for readers that keep this padding;"
    " seqloom's own reader pads each batch again, on the right."
)
_NO_PHRASES = (
    "transform.phrases: no word pair of the train split scores above transform.phrases.threshold = %s, so no words"
    " are joined."
)
_logger = logging.getLogger("seqloom")


Paths = dict[str, str]
"""Asset files of the graph by the argument name of `make_preprocessing_fn`."""


class _Assets(NamedTuple):
    """The asset files of the graph and their contents."""

    words: list[tuple[str, int]]
    classes: list[str]
    paths: Paths


class SequenceTransformExecutor(base_beam_executor.BaseBeamExecutor):
    """Counts the words of the train split, creates the graph, and transforms every split with it."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Writes the transform graph, the transformed splits, `<split>.dataset.json` and `summary.json`.

        Raises:
            JobError: If the vocabulary is empty or covers too little, a label or tag is unknown, there is nothing to
                learn, or documents are lost.
        """
        memory.share_arenas()
        raw = artifact_utils.get_single_instance(input_dict["examples"])
        transformed = artifact_utils.get_single_instance(output_dict["transformed_examples"])
        directory = artifact_utils.get_single_uri(output_dict["transform_graph"])
        settings = TransformSettings.model_validate_json(exec_properties["settings"])
        output = OutputSettings.model_validate_json(exec_properties["output"])
        kind = kinds.by_name(exec_properties["kind"])
        schema = read_schema(input_dict)
        train = shard_paths(raw.uri, "train")
        if settings.pad and settings.pad.side == "left":
            _logger.warning(_LEFT_PADDING)

        models = {**_train_subwords(train, settings, directory), **self._find_phrases(train, settings, directory)}
        counts_dir, code = exec_properties.get("counts_dir") or "", exec_properties["code"]
        kept = span_counts.open_counts(counts_dir, train, settings, kind, code)
        if kept is None:
            counts = self._count(train, settings, kind, models)
        else:
            counts = kept.total(self._count_spans(train, kept.missing, settings, kind))
        assets = _write_assets(directory, counts, settings, kind, models, json.loads(exec_properties["labels"]))
        if exec_properties["learned"]:
            require_learnable(counts, kind)
        job = ShardJob(settings, output, kind, len(RESERVED_WORDS) + len(assets.words))
        shards = _shards(raw, transformed, output)
        preprocessing = graph_functions.make_preprocessing_fn(settings, kind, **assets.paths)
        try:
            reports = self._transform(shards, schema, job, preprocessing, directory)
        finally:
            remove_partials(transformed.uri)

        _check(reports, raw, assets, kind)
        summary = _summarize(reports, counts, assets, settings)
        for split in reports:
            write_json(summary[split], f"{transformed.uri}/{split}.dataset.json")
        write_json(summary, f"{directory}/summary.json")
        write_json({**settings.model_dump(), "kind": kind.name}, f"{directory}/settings.json")
        splits = artifact_utils.decode_split_names(raw.split_names)
        describe_examples(transformed, splits, compressed=output.compression == "gzip")
        documents = sum(report.documents for report in reports.values())
        progress.report(documents, documents, "records")

    def _find_phrases(self, shards: list[str], settings: TransformSettings, directory: str) -> Paths:
        """Writes `phrases.txt` if phrases are configured; returns its path if any are found."""
        if settings.phrases is None:
            return {}
        path, passes = posixpath.join(directory, "phrases.txt"), list[list[Phrase]]()
        tf.io.gfile.makedirs(directory)
        write_phrases(path, passes)
        for number in range(1, settings.phrases.passes + 1):
            found = posixpath.join(self._get_tmp_dir(), f"phrases-{number}.json")
            with self._make_beam_pipeline() as pipeline:
                _ = transform.find_phrases(pipeline, shards, settings, path if passes else None) | WriteJson(found)
            (phrases,) = read_json(found)
            if not phrases:  # Another pass would see the same text.
                break
            passes.append([Phrase(*phrase) for phrase in phrases])
            write_phrases(path, passes)
        if not passes:
            _logger.warning(_NO_PHRASES, settings.phrases.threshold)
        return {"phrases": path} if passes else {}

    def _count(self, shards: list[str], settings: TransformSettings, kind: CorpusKind, models: Paths) -> TokenCounts:
        if len(shards) == 1 and runs_in_process(self._beam_pipeline_args):  # A pipeline would cost more than the work.
            return count_shard(shards[0], settings, kind, models.get("subword_model"), models.get("phrases"))
        path = posixpath.join(self._get_tmp_dir(), "counts.json")
        with self._make_beam_pipeline() as pipeline:
            _ = transform.count(pipeline, shards, settings, kind, **models) | WriteJson(path)
        (counts,) = read_json(path)
        return TokenCounts.from_json(counts)

    def _count_spans(
        self, shards: list[str], spans: Sequence[int], settings: TransformSettings, kind: CorpusKind
    ) -> dict[int, TokenCounts]:
        if not spans:
            return {}
        if len(shards) == 1 and runs_in_process(self._beam_pipeline_args):
            return count_shard_spans(shards[0], spans, settings, kind)
        path = posixpath.join(self._get_tmp_dir(), "span_counts.json")
        with self._make_beam_pipeline() as pipeline:
            _ = transform.count_spans(pipeline, shards, spans, settings, kind) | WriteJson(path)
        return {span: TokenCounts.from_json(values) for span, values in read_json(path)}

    def _transform(
        self,
        shards: list[transform.Shard],
        schema: schema_pb2.Schema,
        job: ShardJob,
        preprocessing: transform.PreprocessingFn,
        graph_directory: str,
    ) -> dict[str, ShardReport]:
        path = posixpath.join(self._get_tmp_dir(), "reports.json")
        with (
            self._make_beam_pipeline() as pipeline,
            tft_beam.Context(temp_dir=posixpath.join(self._get_tmp_dir(), "tft"), force_tf_compat_v1=False),
        ):
            written = transform.transform(pipeline, shards, schema, job, preprocessing, graph_directory)
            _ = written | "Report" >> WriteJson(path)
        reports: dict[str, ShardReport] = {}
        for values in read_json(path):
            report = ShardReport.from_json(values)
            reports.setdefault(report.split, ShardReport(report.split)).add(report)
        return {split: reports[split] for split in dict.fromkeys(split for split, _, _ in shards)}


def _train_subwords(train: list[str], settings: TransformSettings, directory: str) -> Paths:
    if settings.tokenizer != "subwords":
        return {}
    model = subwords.train_on_records((batch for path in train for batch in read_batches(path)), settings)
    path = posixpath.join(directory, "subwords.model")
    tf.io.gfile.makedirs(directory)
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(model)
    return {"subword_model": path}


def _write_assets(
    directory: str,
    counts: TokenCounts,
    settings: TransformSettings,
    kind: CorpusKind,
    models: Paths,
    labels: list[str],
) -> _Assets:
    pieces: list[str] = []
    if "subword_model" in models:
        with tf.io.gfile.GFile(models["subword_model"], "rb") as file:
            pieces = subwords.pieces(file.read())
    words = vocabulary.select_words(counts.tokens, settings, pieces, tokenized=kind.tokenized)
    paths = {**models, "vocabulary": vocabulary.write_vocabulary(directory, words)}
    if kind.classes_file is None:
        return _Assets(words, [], paths)
    classes = labels or sorted(counts.classes)
    if not classes:
        raise JobError(
            "The train split has no labels.",
            where="SequenceTransform, split train",
            found=f"{counts.documents} documents without a label",
            expected="documents of every class",
            fix="Check corpus.label, or list the classes under corpus.labels.",
        )
    paths["classes"] = vocabulary.write_classes(posixpath.join(directory, kind.classes_file), classes)
    return _Assets(words, classes, paths)


def _shards(raw: types.Artifact, transformed: types.Artifact, output: OutputSettings) -> list[transform.Shard]:
    """Returns all shards; the output files have the names of the input files, except for the suffix."""
    return [
        (split, path, posixpath.join(folder, posixpath.basename(path).removesuffix(".gz") + output.suffix))
        for split in artifact_utils.decode_split_names(raw.split_names)
        for folder in [split_folder(transformed.uri, split)]
        for path in shard_paths(raw.uri, split)
    ]


def _summarize(
    reports: dict[str, ShardReport], counts: TokenCounts, assets: _Assets, settings: TransformSettings
) -> dict[str, Any]:
    unknown = vocabulary.unknown_counts(counts.tokens, assets.words)
    summary: dict[str, Any] = {"vocabulary": {"words": len(assets.words), "train_types": len(counts.tokens)}}
    for split, report in reports.items():
        vocabulary.check_coverage(split, report.words - report.unknown, report.words, unknown, settings)
        summary[split] = dataset(report, settings.pad)
    return summary


def _check(reports: dict[str, ShardReport], raw: types.Artifact, assets: _Assets, kind: CorpusKind) -> None:
    """Checks that every document is written or counted as too short, and that every label and tag is known."""
    expected = split_documents(raw)
    seen = {split: report.documents for split, report in reports.items()}
    kept = {split: sum(file["documents"] for file in report.files) for split, report in reports.items()}
    for split, report in reports.items():
        if report.unknown_classes:
            _raise_unknown_class(split, report.unknown_classes, assets.classes, kind)
    if seen != expected or kept != {split: report.written for split, report in reports.items()}:
        raise JobError(
            "Documents were lost or duplicated in the transform.",
            where="SequenceTransform",
            found=f"{seen} read, {kept} written",
            expected=f"{expected}, the counts of CorpusExampleGen, minus the documents that are too short",
            fix="Run again with --no-cache to rebuild the raw examples.",
        )
    for split, report in reports.items():
        if report.written == 0:
            raise JobError(
                f"Every document of the {split} split is too short.",
                where=f"SequenceTransform, split {split}",
                found=f"{report.left_out} documents, all too short",
                expected="documents of at least transform.min_length tokens",
                fix="Lower transform.min_length.",
            )


def _raise_unknown_class(split: str, unknown: Counter[str], classes: list[str], kind: CorpusKind) -> NoReturn:
    name, count = unknown.most_common(1)[0]
    what, known, unit = ("tag", "tags of train", "tokens") if kind.tokenized else ("label", "classes", "documents")
    raise JobError(
        f"A {what} of the {split} split is not among the {known}.",
        where=f"SequenceTransform, split {split}",
        found=f"{name!r} on {count} {unit}",
        expected=f"one of {', '.join(classes)}",
        fix=f"List every {what} under corpus.{what}s, or assign more documents to train.",
    )
