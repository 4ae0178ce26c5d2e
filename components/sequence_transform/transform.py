"""The Beam pipelines of SequenceTransform; a shard of TFRecords is the unit of distribution."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import apache_beam as beam
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.tfxio.tf_sequence_example_record import TFSequenceExampleBeamRecord

from components.sequence_transform.phrase_counts import PairCounts, choose, count_shard_pairs
from components.sequence_transform.shard_work import ShardJob, count_shard, count_shard_spans, transform_shard
from components.sequence_transform.vocabulary import TokenCounts
from components.shared import memory
from schema import curated
from trainer.data import features as f
from trainer.data.kinds import CorpusKind
from trainer.settings import TransformSettings

PreprocessingFn = Callable[[f.Features], f.Features]
Shard = tuple[str, str, str]
"""A split's name, the file to read and the file to write."""


class Sum(beam.CombineFn):
    """Adds up counts, objects of the given class, with their method `add`."""

    def __init__(self, counts: type[TokenCounts] | type[PairCounts]) -> None:
        self._counts = counts

    def create_accumulator(self) -> Any:  # noqa: D102
        return self._counts()

    def add_input(self, accumulator: Any, element: Any) -> Any:  # noqa: D102
        accumulator.add(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Any]) -> Any:  # noqa: D102
        return functools.reduce(self.add_input, accumulators, self._counts())

    def extract_output(self, accumulator: Any) -> Any:  # noqa: D102
        return accumulator


def _count_shard(shard: str, *arguments: Any) -> TokenCounts:
    counts = count_shard(shard, *arguments)
    memory.release_free_memory()
    return counts


def _count_shard_spans(shard: str, *arguments: Any) -> list[tuple[int, TokenCounts]]:
    counts = count_shard_spans(shard, *arguments)
    memory.release_free_memory()
    return list(counts.items())


def _transform_shard(element: tuple[Shard, str], job: ShardJob) -> dict[str, Any]:
    (split, source, target), saved_model = element
    report = vars(transform_shard(source, target, split, saved_model, job))
    memory.release_free_memory()
    return report


def graph_schema(schema: schema_pb2.Schema, kind: CorpusKind) -> schema_pb2.Schema:
    """Drops the context features that are not inputs of the graph, such as weights: serving does not have them."""
    kept = schema_pb2.Schema()
    kept.CopyFrom(schema)
    for feature in schema.feature:
        if feature.name not in (*kind.raw, curated.SEQUENCE):
            kept.feature.remove(feature)
    return kept


def find_phrases(
    pipeline: beam.Pipeline, shards: list[str], settings: TransformSettings, phrases: str | None
) -> beam.PCollection:
    """Finds phrases in raw examples of the train split, in one pass; `phrases` is the file of previous passes.

    Returns:
        A PCollection of one list of `Phrase`.
    """
    return (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Spread" >> beam.Reshuffle()
        | "CountPairs" >> beam.Map(count_shard_pairs, settings, phrases)
        | "Sum" >> beam.CombineGlobally(Sum(PairCounts)).without_defaults()
        | "Choose" >> beam.Map(choose, settings)
    )


def count(
    pipeline: beam.Pipeline,
    shards: list[str],
    settings: TransformSettings,
    kind: CorpusKind,
    subword_model: str | None = None,
    phrases: str | None = None,
) -> beam.PCollection:
    """Counts tokens and classes of raw examples, with the files of a subword model and of phrases, if any.

    Returns:
        A PCollection of one `TokenCounts`, as a dict.
    """
    return (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Spread" >> beam.Reshuffle()
        | "Count" >> beam.Map(_count_shard, settings, kind, subword_model, phrases)
        | "Sum" >> beam.CombineGlobally(Sum(TokenCounts)).without_defaults()
        | "AsDict" >> beam.Map(vars)
    )


def count_spans(
    pipeline: beam.Pipeline, shards: list[str], spans: Sequence[int], settings: TransformSettings, kind: CorpusKind
) -> beam.PCollection:
    """Counts tokens and classes of some spans of raw examples.

    Returns:
        A PCollection of the number of each span that has documents, with its `TokenCounts` as a dict.
    """
    return (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Spread" >> beam.Reshuffle()
        | "Count" >> beam.FlatMap(_count_shard_spans, tuple(spans), settings, kind)
        | "Sum" >> beam.CombinePerKey(Sum(TokenCounts))
        | "AsDict" >> beam.MapTuple(lambda span, counts: (span, vars(counts)))
    )


def transform(
    pipeline: beam.Pipeline,
    shards: list[Shard],
    schema: schema_pb2.Schema,
    job: ShardJob,
    preprocessing_fn: PreprocessingFn,
    graph_directory: str,
) -> beam.PCollection:
    """Creates the transform graph with TensorFlow Transform, writes it, and transforms every shard with it.

    Args:
        pipeline: A pipeline inside a `tft_beam.Context`.
        shards: The files to read and to write.
        schema: The curated schema of the raw examples.
        job: The settings that all shards share.
        preprocessing_fn: Turns raw features into transformed ones.
        graph_directory: The directory of the transform graph, in the layout of TFX's Transform.

    Returns:
        A PCollection of one `ShardReport` per shard, as dicts.
    """
    reader = TFSequenceExampleBeamRecord("shards", ["SequenceTransform"], graph_schema(schema, job.kind))
    no_batches = pipeline | "NoAnalysisData" >> beam.Create([])
    graph = (no_batches, reader.TensorAdapterConfig()) | tft_beam.AnalyzeDataset(preprocessing_fn)
    graph | tft_beam.WriteTransformFn(graph_directory)
    # Shards wait for the graph as elements derived from it: Beam's cache would measure a side input object by object.
    return (
        graph[0]
        | "Shards" >> beam.FlatMap(lambda saved_model: [(shard, saved_model) for shard in shards])
        | "Spread" >> beam.Reshuffle()
        | "Transform" >> beam.Map(_transform_shard, job)
    )
