"""The work on one shard of TFRecords: count its tokens, or write it transformed."""

from __future__ import annotations

import dataclasses
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from components.sequence_encoding import Int64Steps, bytes_feature, int64_feature, sequence_example
from components.sequence_transform.vocabulary import TokenCounts
from trainer import features as f
from trainer import progress
from trainer.preprocessing import tokenize
from trainer.settings import TransformSettings

_BATCH = 512


@dataclasses.dataclass
class ShardReport:
    """What was written of one shard, or of many added up.

    Attributes:
        split: The split's name.
        documents: Records written.
        tokens: Token ids written.
        unknown: Token ids that are `<unk>`.
        empty: Documents without a token.
        unlabelled: Documents whose label is not among the classes, by that label.
    """

    split: str
    documents: int = 0
    tokens: int = 0
    unknown: int = 0
    empty: int = 0
    unlabelled: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, other: ShardReport) -> None:
        """Adds another shard's figures to these."""
        self.documents += other.documents
        self.tokens += other.tokens
        self.unknown += other.unknown
        self.empty += other.empty
        self.unlabelled.update(other.unlabelled)


def read_batches(path: str) -> Iterator[tf.Tensor]:
    """Yields serialized records of a GZIP TFRecord file, string [batch], in file order."""
    yield from tf.data.TFRecordDataset(path, "GZIP").batch(_BATCH).prefetch(2)


def count_tokens(path: str, settings: TransformSettings) -> TokenCounts:
    """Counts tokens and labels of a shard of raw SequenceExamples."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def count(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        raw = f.parse_raw(serialized)
        tokens, _, counts = tf.unique_with_counts(tokenize(raw[f.TEXT], settings).flat_values)
        return tokens, counts, raw[f.LABEL]

    total = TokenCounts()
    for serialized in read_batches(path):
        tokens, counts, labels = (result.numpy() for result in count(serialized))
        for token, n in zip(tokens.tolist(), counts.tolist(), strict=True):
            total.tokens[token.decode()] += n
        total.labels.update(label.decode() for label in labels.tolist())
        total.documents += len(labels)
    return total


def load_transform(saved_model: str) -> tf.types.experimental.GenericFunction:
    """Loads a transform graph as a function of serialized raw records.

    Args:
        saved_model: The transform graph's SavedModel directory.

    Returns:
        A function from string [batch] to the raw labels, string [batch], and the transformed features.
    """
    graph = tf.saved_model.load(saved_model)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def transform(serialized: tf.Tensor) -> tuple[tf.Tensor, f.Features]:
        raw = f.parse_raw(serialized)
        return raw[f.LABEL], graph.transform_fn(raw)

    return transform


def transform_shard(source: str, target: str, split: str, saved_model: str) -> ShardReport:
    """Writes a shard of raw SequenceExamples as transformed ones, in the same order.

    The file appears under its name when it is whole, so a repeated attempt leaves no half shard.

    Args:
        source: The shard to read.
        target: The shard to write.
        split: The split it belongs to.
        saved_model: The transform graph's SavedModel directory.
    """
    transform = load_transform(saved_model)
    report, steps = ShardReport(split), Int64Steps()
    partial = f"{target}.{uuid.uuid4().hex}"
    tf.io.gfile.makedirs(target.rpartition("/")[0])
    with tf.io.TFRecordWriter(partial, "GZIP") as writer:
        for serialized in read_batches(source):
            labels, batch = transform(serialized)
            for record in _encode(batch, steps):
                writer.write(record)
            _count(report, labels.numpy(), batch)
            progress.report(report.documents, None, "records")
    tf.io.gfile.rename(partial, target, overwrite=True)
    return report


def _encode(batch: f.Features, steps: Int64Steps) -> Iterator[bytes]:
    values, splits = batch[f.TOKENS].flat_values.numpy().tolist(), batch[f.TOKENS].row_splits.numpy().tolist()
    columns = (batch[name].numpy().tolist() for name in (f.ID, f.SOURCE, f.LABEL))
    for start, stop, *context in zip(splits, splits[1:], *columns, strict=False):
        identifier, source, label = context
        yield sequence_example(
            {
                f.ID: bytes_feature(identifier),
                f.SOURCE: bytes_feature(source),
                f.LABEL: int64_feature(label),
                f.LENGTH: int64_feature(stop - start),
            },
            {f.TOKENS: steps.encode(values[start:stop])},
        )


def _count(report: ShardReport, labels: np.ndarray[Any, Any], batch: f.Features) -> None:
    ids = batch[f.TOKENS].flat_values.numpy()
    report.documents += len(labels)
    report.tokens += len(ids)
    report.unknown += int(np.count_nonzero(ids == f.UNK))
    report.empty += int(np.count_nonzero(batch[f.LENGTH].numpy() == 0))
    report.unlabelled.update(label.decode() for label in labels[batch[f.LABEL].numpy() < 0].tolist())
