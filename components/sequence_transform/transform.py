"""The Beam pipelines of SequenceTransform; a shard of TFRecords is the unit of distribution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.tfxio.tf_sequence_example_record import TFSequenceExampleBeamRecord

from components.sequence_transform.shards import count_tokens, transform_shard
from components.sequence_transform.vocabulary import TokenCounts
from trainer.preprocessing import make_preprocessing_fn
from trainer.settings import TransformSettings

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


class CountTokens(beam.DoFn):
    """Counts the tokens of a shard."""

    def __init__(self, settings: TransformSettings) -> None:
        self._settings = settings

    def process(self, element: str) -> Iterator[TokenCounts]:  # noqa: D102
        yield count_tokens(element, self._settings)


class TransformShard(beam.DoFn):
    """Writes a shard transformed."""

    def process(self, element: Shard, saved_model: str) -> Iterator[dict[str, Any]]:  # noqa: D102
        split, source, target = element
        yield vars(transform_shard(source, target, split, saved_model))


def count(pipeline: beam.Pipeline, shards: list[str], settings: TransformSettings) -> beam.PCollection:
    """Counts tokens and labels of the given shards.

    Returns:
        A PCollection of one `TokenCounts`, as a dict.
    """
    return (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Spread" >> beam.Reshuffle()
        | "Count" >> beam.ParDo(CountTokens(settings))
        | "Sum" >> beam.CombineGlobally(SumCounts())
    )


def transform(
    pipeline: beam.Pipeline,
    shards: list[Shard],
    schema: schema_pb2.Schema,
    settings: TransformSettings,
    assets: tuple[str, str],
    graph_directory: str,
) -> beam.PCollection:
    """Makes the transform graph with TensorFlow Transform, writes it, and every shard through it.

    Args:
        pipeline: A pipeline inside a `tft_beam.Context`.
        shards: What is read and where it is written.
        schema: The curated schema of the raw examples.
        settings: The transform section of the configuration.
        assets: The vocabulary file and the file of class names.
        graph_directory: Where the transform graph goes, laid out as stock Transform does.

    Returns:
        A PCollection of one `ShardReport` a shard, as dicts.
    """
    reader = TFSequenceExampleBeamRecord("shards", ["SequenceTransform"], schema)
    no_batches = pipeline | "NoAnalysisData" >> beam.Create([])
    graph = (no_batches, reader.TensorAdapterConfig()) | tft_beam.AnalyzeDataset(
        make_preprocessing_fn(settings, *assets)
    )
    graph | tft_beam.WriteTransformFn(graph_directory)
    return (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Spread" >> beam.Reshuffle()
        | "Transform" >> beam.ParDo(TransformShard(), beam.pvalue.AsSingleton(graph[0]))
    )
