"""StatisticsGen for a few documents: a Beam pipeline for each split takes seconds, however little it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import tensorflow as tf
from tensorflow_data_validation import StatsOptions
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen import executor
from tfx.types import artifact_utils
from tfx.utils import io_utils
from tfx_bsl.coders.sequence_example_coder import SequenceExamplesToRecordBatchDecoder

from components.shared.artifacts import ArtifactMap
from components.shared.beam_engine import runs_in_process
from components.shared.example_files import shard_paths, split_folder
from schema import curated
from trainer.data.tfrecords import stream

SMALL = 4 << 20
"""The size in bytes of all shards, usually compressed, up to which statistics are computed in memory."""


class StatisticsGenExecutor(executor.Executor):
    """TFX's StatisticsGen, but without Beam for a small corpus, unless another engine runs Beam.

    Both ways use the generators of TensorFlow Data Validation. Without Beam, the most frequent values of a feature
    count all strings of more than 1,024 bytes as one.
    """

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Writes the statistics of every split."""
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        names = artifact_utils.decode_split_names(examples.split_names)
        files = {name: shard_paths(examples.uri, name) for name in names}
        size = sum(tf.io.gfile.stat(path).length for paths in files.values() for path in paths)
        if size > SMALL or not runs_in_process(self._beam_pipeline_args):
            super().Do(input_dict, output_dict, exec_properties)
            return
        self._log_startup(input_dict, output_dict, exec_properties)
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])
        statistics.split_names = artifact_utils.encode_split_names(names)
        statistics.span = examples.span
        for name, paths in files.items():
            content = in_memory(paths).SerializeToString(deterministic=True)
            io_utils.write_bytes_file(f"{split_folder(statistics.uri, name)}/FeatureStats.pb", content)


def in_memory(files: Sequence[str]) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Returns the statistics of TFRecord files of raw SequenceExamples, which have to fit into memory."""
    records = list(stream(files).as_numpy_iterator())
    batch = SequenceExamplesToRecordBatchDecoder(curated.SEQUENCE).DecodeBatch(records)
    ranks = StatsOptions().num_rank_histogram_buckets
    # As many counters as values: with fewer, the sketch of TensorFlow Data Validation keeps others of the rarest values
    # in every process.
    exact = StatsOptions(num_rank_histogram_buckets=max(ranks, *map(_number_of_values, batch.columns), 0))
    found = stats_impl.generate_statistics_in_memory(batch, exact)
    for dataset in found.datasets:
        for feature in dataset.features:
            if feature.HasField("string_stats"):  # Reading it would add it to other features.
                del feature.string_stats.rank_histogram.buckets[ranks:]
    return found


def _number_of_values(column: pa.Array) -> int:
    while pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = column.flatten()
    return len(column)
