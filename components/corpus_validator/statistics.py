"""Computes statistics of raw SequenceExamples and provides access to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import apache_beam as beam
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx_bsl.tfxio.tf_sequence_example_record import TFSequenceExampleBeamRecord

from trainer.data.tfrecords import stream

FeaturePath = tuple[str, ...]
"""The names that lead to a feature; feature lists are under `curated.SEQUENCE`."""


class ComputeStatistics(beam.PTransform):
    """Writes the statistics that StatisticsGen computes of serialized raw SequenceExamples to one file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def expand(self, pcoll: beam.PCollection[bytes]) -> beam.PCollection:
        """Writes the statistics."""
        source = TFSequenceExampleBeamRecord("statistics", ["CorpusValidator"])
        return (
            pcoll
            | "Decode" >> source.BeamSource()
            | "Statistics" >> tfdv.GenerateStatistics(tfdv.StatsOptions())
            | "WriteStatistics" >> tfdv.WriteStatisticsToBinaryFile(self._path)
        )


def compute_statistics(
    files: Sequence[str], path: str, make_pipeline: Callable[[], beam.Pipeline]
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Computes the statistics of TFRecord files (plain or gzip) of raw SequenceExamples, and writes them to a file."""
    with make_pipeline() as pipeline:
        _ = (
            pipeline
            | "Files" >> beam.Create(list(files))
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(read_records)
            | "Compute" >> ComputeStatistics(path)
        )
    return load(path)


def read_records(file: str) -> list[bytes] | tf.data.NumpyIterator:
    """Yields the records of a TFRecord file."""
    return stream([file]).as_numpy_iterator()


def load(path: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Reads a file of statistics."""
    with tf.io.gfile.GFile(path, "rb") as file:
        return statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())


@dataclasses.dataclass(frozen=True)
class Lengths:
    """The lowest and highest number of values at a level: steps of a feature list, or values of a step."""

    lowest: int
    highest: int


class FeatureView:
    """The statistics of one feature."""

    def __init__(self, feature: statistics_pb2.FeatureNameStatistics) -> None:
        self._stats = getattr(feature, feature.WhichOneof("stats"))
        self._levels = list(self._stats.common_stats.presence_and_valency_stats) or [self._stats.common_stats]

    @property
    def present(self) -> int:
        """The number of documents that have the feature."""
        return int(self._levels[0].num_non_missing)

    def lengths(self, level: int) -> Lengths:
        """Returns the numbers of values at a level; level 0 is the document."""
        values = self._levels[min(level, len(self._levels) - 1)]
        return Lengths(int(values.min_num_values), int(values.max_num_values))

    def values(self) -> dict[str, float]:
        """Returns the counts of the most frequent strings in descending order."""
        histogram = getattr(self._stats, "rank_histogram", None)
        return {bucket.label: bucket.sample_count for bucket in histogram.buckets} if histogram else {}

    def shares(self) -> dict[str, float]:
        """Returns the shares of the most frequent strings, which add up to 1."""
        values = self.values()
        total = sum(values.values())
        return {value: count / total for value, count in values.items()} if total else {}


class StatisticsView:
    """The statistics of a split, one dataset."""

    def __init__(self, statistics: statistics_pb2.DatasetFeatureStatisticsList) -> None:
        dataset = statistics.datasets[0] if statistics.datasets else statistics_pb2.DatasetFeatureStatistics()
        self.documents = int(dataset.num_examples)
        self._features = {tuple(feature.path.step) or (feature.name,): feature for feature in dataset.features}

    def feature(self, path: FeaturePath) -> FeatureView | None:
        """Returns the statistics of a feature, or None if no document has it."""
        found = self._features.get(path)
        return None if found is None else FeatureView(found)
