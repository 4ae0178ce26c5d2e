"""Statistics of raw SequenceExamples: how they are computed, and what can be read from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import apache_beam as beam
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx_bsl.tfxio.tf_sequence_example_record import TFSequenceExampleBeamRecord

from schema import curated
from trainer.data.tfrecords import stream

FeaturePath = tuple[str, ...]
"""Names that lead to a feature; a feature list's lies below `curated.SEQUENCE`."""


class ComputeStatistics(beam.PTransform):
    """Serialized raw SequenceExamples to one file of statistics, as StatisticsGen computes them.

    Args:
        path: The file that is written.
    """

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
    """Computes the statistics of TFRecord files of raw SequenceExamples.

    Args:
        files: The files, plain or compressed with gzip.
        path: Where the statistics are written.
        make_pipeline: Makes the Beam pipeline that computes them.

    Returns:
        The statistics.
    """
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
    """How many values there are at a level: steps of a feature list, or values of a step.

    Attributes:
        lowest: The least number.
        highest: The greatest.
    """

    lowest: int
    highest: int


class FeatureView:
    """What statistics say of one feature.

    Args:
        feature: Its statistics.
        documents: How many documents there are.
    """

    def __init__(self, feature: statistics_pb2.FeatureNameStatistics, documents: int) -> None:
        self.documents = documents
        self._stats = getattr(feature, feature.WhichOneof("stats"))
        self._levels = list(self._stats.common_stats.presence_and_valency_stats) or [self._stats.common_stats]

    @property
    def present(self) -> int:
        """How many documents have it."""
        return int(self._levels[0].num_non_missing)

    def lengths(self, level: int) -> Lengths:
        """Returns how many values there are at a level, 0: a document's."""
        values = self._levels[min(level, len(self._levels) - 1)]
        return Lengths(int(values.min_num_values), int(values.max_num_values))

    def values(self) -> dict[str, float]:
        """Returns how often each of the most frequent strings occurs, by falling frequency."""
        histogram = getattr(self._stats, "rank_histogram", None)
        return {bucket.label: bucket.sample_count for bucket in histogram.buckets} if histogram else {}

    def shares(self) -> dict[str, float]:
        """Returns the share of each of the most frequent strings among them."""
        values = self.values()
        total = sum(values.values())
        return {value: count / total for value, count in values.items()} if total else {}


class StatisticsView:
    """What statistics say of a split.

    Args:
        statistics: The statistics, of one dataset.
    """

    def __init__(self, statistics: statistics_pb2.DatasetFeatureStatisticsList) -> None:
        dataset = statistics.datasets[0] if statistics.datasets else statistics_pb2.DatasetFeatureStatistics()
        self.documents = int(dataset.num_examples)
        self._features = {_path(feature): feature for feature in dataset.features}

    def feature(self, path: FeaturePath) -> FeatureView | None:
        """Returns what is known of a feature, None where no document has it."""
        found = self._features.get(path)
        return None if found is None else FeatureView(found, self.documents)

    def paths(self) -> list[FeaturePath]:
        """Returns the paths of all features with values."""
        return [path for path in self._features if path != (curated.SEQUENCE,)]


def _path(feature: statistics_pb2.FeatureNameStatistics) -> FeaturePath:
    return tuple(feature.path.step) or (feature.name,)
