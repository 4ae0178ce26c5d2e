"""The Beam pipelines of SequenceTransform; a shard of TFRecords is the unit of distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.tfxio.tf_sequence_example_record import TFSequenceExampleBeamRecord

from components.sequence_transform.phrase_counts import PairCounts, choose, count_shard_pairs
from components.sequence_transform.shard_work import ShardJob, count_shard, transform_shard
from components.sequence_transform.vocabulary import TokenCounts
from components.shared import memory
from schema import curated
from trainer.data import features as f
from trainer.data.kinds import CorpusKind
from trainer.settings import TransformSettings
from trainer.text.phrases import Phrase

PreprocessingFn = Callable[[f.Features], f.Features]
Shard = tuple[str, str, str]
"""A split's name, the file to read and the file to write."""


class SumCounts(beam.CombineFn):
    """Adds up token counts."""

    def create_accumulator(self) -> TokenCounts:  # noqa: D102
        return TokenCounts()

    def add_input(self, accumulator: TokenCounts, element: TokenCounts) -> TokenCounts:  # noqa: D102
        accumulator.add(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[TokenCounts]) -> TokenCounts:  # noqa: D102
        total = TokenCounts()
        for accumulator in accumulators:
            total.add(accumulator)
        return total

    def extract_output(self, accumulator: TokenCounts) -> dict[str, Any]:  # noqa: D102
        return vars(accumulator)


class ChoosePhrases(beam.CombineFn):
    """Adds up counts of pairs of words, and chooses the phrases."""

    def __init__(self, settings: TransformSettings) -> None:
        self._settings = settings

    def create_accumulator(self) -> PairCounts:  # noqa: D102
        return PairCounts()

    def add_input(self, accumulator: PairCounts, element: PairCounts) -> PairCounts:  # noqa: D102
        accumulator.add(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[PairCounts]) -> PairCounts:  # noqa: D102
        total = PairCounts()
        for accumulator in accumulators:
            total.add(accumulator)
        return total

    def extract_output(self, accumulator: PairCounts) -> list[Phrase]:  # noqa: D102
        return choose(accumulator, self._settings)


class CountPairs(beam.DoFn):
    """Counts the pairs of neighbouring words of a shard of raw examples."""

    def __init__(self, settings: TransformSettings, phrases: str | None) -> None:
        self._arguments = settings, phrases

    def process(self, element: str) -> Iterator[PairCounts]:  # noqa: D102
        yield count_shard_pairs(element, *self._arguments)


class CountShard(beam.DoFn):
    """Counts a shard of raw examples."""

    def __init__(
        self, settings: TransformSettings, kind: CorpusKind, subword_model: str | None, phrases: str | None
    ) -> None:
        self._arguments = settings, kind, subword_model, phrases

    def process(self, element: str) -> Iterator[TokenCounts]:  # noqa: D102
        yield count_shard(element, *self._arguments)
        memory.release_free_memory()


class TransformShard(beam.DoFn):
    """Writes a shard transformed."""

    def __init__(self, job: ShardJob) -> None:
        self._job = job

    def process(self, element: tuple[Shard, str]) -> Iterator[dict[str, Any]]:  # noqa: D102
        (split, source, target), saved_model = element
        yield vars(transform_shard(source, target, split, saved_model, self._job))
        memory.release_free_memory()


def graph_schema(schema: schema_pb2.Schema, kind: CorpusKind) -> schema_pb2.Schema:
    """Leaves out the context features that the graph does not take, as weights: serving does not have them.

    Args:
        schema: The schema of the raw examples.
        kind: The kind of corpus.
    """
    kept = schema_pb2.Schema()
    kept.CopyFrom(schema)
    for feature in schema.feature:
        if feature.name not in (*kind.raw, curated.SEQUENCE):
            kept.feature.remove(feature)
    return kept


def find_phrases(
    pipeline: beam.Pipeline, shards: list[str], settings: TransformSettings, phrases: str | None
) -> beam.PCollection:
    """Finds the phrases of the given shards, in one pass.

    Args:
        pipeline: The pipeline.
        shards: Raw examples of the train split.
        settings: The transform section of the configuration, with `phrases`.
        phrases: File of the phrases that the passes before found, if there are any.

    Returns:
        A PCollection of one list of `Phrase`.
    """
    return (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Spread" >> beam.Reshuffle()
        | "CountPairs" >> beam.ParDo(CountPairs(settings, phrases))
        | "Choose" >> beam.CombineGlobally(ChoosePhrases(settings)).without_defaults()
    )


def count(
    pipeline: beam.Pipeline,
    shards: list[str],
    settings: TransformSettings,
    kind: CorpusKind,
    subword_model: str | None = None,
    phrases: str | None = None,
) -> beam.PCollection:
    """Counts tokens and classes of the given shards.

    Args:
        pipeline: The pipeline.
        shards: Raw examples of the train split.
        settings: The transform section of the configuration.
        kind: The kind of corpus.
        subword_model: File of the subword model, if there is one.
        phrases: File of the phrases, if there are any.

    Returns:
        A PCollection of one `TokenCounts`, as a dict.
    """
    return (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Spread" >> beam.Reshuffle()
        | "Count" >> beam.ParDo(CountShard(settings, kind, subword_model, phrases))
        | "Sum" >> beam.CombineGlobally(SumCounts()).without_defaults()
    )


def transform(
    pipeline: beam.Pipeline,
    shards: list[Shard],
    schema: schema_pb2.Schema,
    job: ShardJob,
    preprocessing_fn: PreprocessingFn,
    graph_directory: str,
) -> beam.PCollection:
    """Makes the transform graph with TensorFlow Transform, writes it, and every shard through it.

    Args:
        pipeline: A pipeline inside a `tft_beam.Context`.
        shards: What is read and where it is written.
        schema: The curated schema of the raw examples.
        job: What all shards have in common.
        preprocessing_fn: From raw to transformed features.
        graph_directory: Where the transform graph goes, laid out as stock Transform does.

    Returns:
        A PCollection of one `ShardReport` a shard, as dicts.
    """
    reader = TFSequenceExampleBeamRecord("shards", ["SequenceTransform"], graph_schema(schema, job.kind))
    no_batches = pipeline | "NoAnalysisData" >> beam.Create([])
    graph = (no_batches, reader.TensorAdapterConfig()) | tft_beam.AnalyzeDataset(preprocessing_fn)
    graph | tft_beam.WriteTransformFn(graph_directory)
    # Shards wait for the graph as elements made of it: a side input would be weighed for a cache, object by object.
    return (
        graph[0]
        | "Shards" >> beam.FlatMap(lambda saved_model: [(shard, saved_model) for shard in shards])
        | "Spread" >> beam.Reshuffle()
        | "Transform" >> beam.ParDo(TransformShard(job))
    )
