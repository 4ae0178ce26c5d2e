"""The work on one shard of TFRecords: count its tokens, or write it transformed."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from components.sequence_transform.shard_report import ShardReport
from components.sequence_transform.vocabulary import TokenCounts
from components.sequence_transform.writer import Batch, BatchEncoder, RecordWriter
from trainer import progress
from trainer.data import features as f
from trainer.data import tfrecords
from trainer.settings import Kind, OutputSettings, TransformSettings
from trainer.text import subwords
from trainer.text.normalization import register_operations
from trainer.text.phrases import load as load_phrases
from trainer.text.preprocessing import count_tokens, tagged_tokens

_BATCH = 1024
_PARALLEL = 2


@dataclasses.dataclass(frozen=True)
class ShardJob:
    """What all shards of a transform have in common.

    Attributes:
        settings: The transform section of the configuration.
        output: How files are written.
        kind: The kind of corpus.
        vocabulary_size: Ids below are known words or reserved; others are buckets of unknown ones.
    """

    settings: TransformSettings
    output: OutputSettings
    kind: Kind
    vocabulary_size: int = 0


def read_batches(path: str) -> tf.data.Dataset:
    """Reads serialized records, string [batch], in file order."""
    return tfrecords.stream([path]).batch(_BATCH)


def map_batches(path: str, function: Callable[[tf.Tensor], Any]) -> tf.data.Dataset:
    """Applies a function to serialized records, string [batch], in file order."""
    return read_batches(path).map(function, num_parallel_calls=_PARALLEL, deterministic=True).prefetch(1)


def count_shard(
    path: str, settings: TransformSettings, kind: Kind, subword_model: str | None, phrases: str | None = None
) -> TokenCounts:
    """Counts tokens, labels and tags of a shard of raw SequenceExamples.

    Args:
        path: The shard.
        settings: The transform section of the configuration.
        kind: The kind of corpus.
        subword_model: File of the subword model, if there is one.
        phrases: File of the phrases, if there are any.
    """
    count = _counting(settings, kind, subword_model, phrases)
    total = TokenCounts()
    tokens, classes = [], []
    for batch_tokens, token_counts, labels, batch_classes, class_counts in map_batches(path, count):
        tokens.append((batch_tokens, token_counts))
        classes.append((batch_classes, class_counts))
        if kind == "labelled_text":
            total.labels.update(label.decode() for label in labels.numpy().tolist())
        total.documents += len(labels)
    total.tokens.update(_sum(tokens))
    (total.tags if kind == "tagged_text" else total.labels).update(_sum(classes))
    return total


@functools.lru_cache(maxsize=1)
def _counting(
    settings: TransformSettings, kind: Kind, subword_model: str | None, phrases: str | None
) -> Callable[[tf.Tensor], tuple[tf.Tensor, ...]]:
    """What counts a batch, traced once for all shards of a worker: TensorFlow keeps something of every trace."""
    model = subwords.load(subword_model) if subword_model else None
    joined = load_phrases(phrases, settings) if phrases else None

    def count(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        raw = f.parse_raw(serialized)
        listed = raw[f.TAGS if kind == "tagged_text" else f.LABELS]
        classes, _, class_counts = tf.unique_with_counts(listed.flat_values, out_idx=tf.int64)
        return *count_tokens(raw, settings, kind, model, joined), raw[f.LABEL], classes, class_counts

    traced: Callable[[tf.Tensor], tuple[tf.Tensor, ...]] = tf.function(
        count, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    return traced


def _sum(counted: list[tuple[tf.Tensor, tf.Tensor]]) -> dict[str, int]:
    """Adds up counts of batches, string [types] and int64 [types] each; Python sees each token once."""
    if not counted:
        return {}
    tokens, numbers = (tf.concat(parts, 0) for parts in zip(*counted, strict=True))
    distinct, places = tf.unique(tokens)
    total = tf.math.unsorted_segment_sum(numbers, places, tf.size(distinct))
    return dict(zip((token.decode() for token in distinct.numpy().tolist()), total.numpy().tolist(), strict=True))


def transform_shard(source: str, target: str, split: str, saved_model: str, job: ShardJob) -> ShardReport:
    """Writes a shard of raw SequenceExamples as transformed ones, in the same order.

    Args:
        source: The shard to read.
        target: The shard to write.
        split: The split it belongs to.
        saved_model: The transform graph's SavedModel directory.
        job: What all shards have in common.
    """
    transform = _load(saved_model, job)
    report, encoder = ShardReport(split), BatchEncoder(job.kind, job.settings.pad)
    with RecordWriter(target, job.output) as writer:
        for given, features in map_batches(source, transform):
            batch = {name: _numpy(value) for name, value in features.items()}
            _count(report, {name: value.numpy() for name, value in given.items()}, batch, job)
            if not report.unknown_labels and not report.unknown_tags:
                writer.write(encoder.encode(_long_enough(batch, job)))
            progress.report(report.documents, None, "records")
    report.files.append(writer.written())
    return report


@functools.lru_cache(maxsize=1)
def _load(saved_model: str, job: ShardJob) -> Callable[[tf.Tensor], tuple[f.Features, f.Features]]:
    """The transform graph, once for all shards of a worker, with the given labels and tags beside its features.

    Weights are not of the graph, which serves documents without any.
    """
    register_operations()
    graph = tf.saved_model.load(saved_model)

    def transform(serialized: tf.Tensor) -> tuple[f.Features, f.Features]:
        """Gives what was given and what the graph makes of raw records, string [batch]."""
        raw = f.parse_raw(serialized, job.kind, weighted=True)
        weight = raw.pop(f.WEIGHT)
        given = {f.LABEL: raw[f.LABEL]} if f.LABEL in raw else {}
        if job.kind == "multi_labelled_text":
            given[f.LABELS] = raw[f.LABELS].flat_values
        elif job.kind == "tagged_text":
            given[f.TAGS] = tagged_tokens(raw, job.settings)[1].flat_values
        return given, {**graph.transform_fn(raw), f.WEIGHT: weight}

    traced: Callable[[tf.Tensor], tuple[f.Features, f.Features]] = tf.function(
        transform, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    return traced


def _numpy(value: tf.Tensor | tf.RaggedTensor) -> Any:
    if isinstance(value, tf.RaggedTensor):
        return value.flat_values.numpy(), value.row_splits.numpy()
    return value.numpy()


def _long_enough(batch: Batch, job: ShardJob) -> Batch:
    """Leaves the documents out that the transform emptied for being too short."""
    lengths = np.diff(batch[f.TOKENS][1])
    if job.settings.min_length == 0 or lengths.all():
        return batch
    kept = lengths > 0
    return {name: _kept_rows(value, kept) if isinstance(value, tuple) else value[kept] for name, value in batch.items()}


def _kept_rows(rows: tuple[Any, Any], kept: Any) -> tuple[Any, Any]:
    values, splits = rows
    lengths = np.diff(splits)
    return values[np.repeat(kept, lengths)], np.concatenate([[0], np.cumsum(lengths[kept])])


def _count(report: ShardReport, given: dict[str, Any], batch: Batch, job: ShardJob) -> None:
    ids, splits = batch[f.TOKENS]
    lengths = np.diff(splits)
    report.documents += len(lengths)
    left_out = int(np.count_nonzero(lengths == 0)) if job.settings.min_length else 0
    report.left_out += left_out
    report.tokens += len(ids)
    report.words += int(np.count_nonzero((ids != f.BOS) & (ids != f.EOS)))
    report.unknown += int(np.count_nonzero((ids == f.UNK) | (ids >= job.vocabulary_size)))
    values, documents = np.unique(lengths, return_counts=True)
    report.lengths.update(dict(zip(values.tolist(), documents.tolist(), strict=True)))
    if left_out:
        del report.lengths[0]
    unknown = {f.LABEL: report.unknown_labels, f.LABELS: report.unknown_labels, f.TAGS: report.unknown_tags}
    for name, found in unknown.items():
        if name in batch:
            numbers = batch[name][0] if isinstance(batch[name], tuple) else batch[name]
            found.update(value.decode() for value in given[name][numbers < 0].tolist())
