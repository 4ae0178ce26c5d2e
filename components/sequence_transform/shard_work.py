"""The work on one shard of TFRecords: counts its tokens, or transforms it."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.sequence_transform.shard_report import ShardReport
from components.sequence_transform.vocabulary import TokenCounts
from components.sequence_transform.writer import Batch, BatchEncoder, RecordWriter
from components.shared.span_records import read_spans
from trainer.data import features as f
from trainer.data import tfrecords
from trainer.data.kinds import CorpusKind
from trainer.jobs import progress
from trainer.settings import OutputSettings, TransformSettings
from trainer.text import subwords
from trainer.text.normalization import register_operations
from trainer.text.phrases import load as load_phrases
from trainer.text.preprocessing import count_tokens, tagged_tokens

_BATCH = 1024
_PARALLEL = 2


@dataclasses.dataclass(frozen=True)
class ShardJob:
    """The settings that all shards of a transform share.

    Attributes:
        settings: The transform section of the configuration.
        output: How to write files.
        kind: The kind of corpus.
        vocabulary_size: The number of ids of known and reserved words; higher ids are buckets of unknown words.
    """

    settings: TransformSettings
    output: OutputSettings
    kind: CorpusKind
    vocabulary_size: int = 0


def read_batches(path: str) -> tf.data.Dataset:
    """Reads serialized records, string [batch], in file order."""
    return tfrecords.stream([path]).batch(_BATCH)


def map_batches(path: str, function: Callable[[tf.Tensor], Any]) -> tf.data.Dataset:
    """Applies a function to serialized records, string [batch], in file order."""
    return read_batches(path).map(function, num_parallel_calls=_PARALLEL, deterministic=True).prefetch(1)


def count_shard_spans(
    path: str, spans: Collection[int], settings: TransformSettings, kind: CorpusKind
) -> dict[int, TokenCounts]:
    """Counts tokens and classes of some spans of a shard of raw SequenceExamples, each by itself."""
    count = _count_function(settings, kind, None, None)
    of_records = read_spans(path)
    wanted = tf.constant(np.isin(np.arange(of_records.max(initial=0) + 1), list(spans)))
    records = tf.data.Dataset.zip((tfrecords.stream([path]), tf.data.Dataset.from_tensor_slices(of_records)))
    batches = records.filter(lambda _, span: wanted[span]).group_by_window(
        lambda _, span: span, lambda _, window: window.batch(_BATCH), window_size=_BATCH
    )
    counted = tfrecords.without_autotune(
        batches.map(
            lambda records, spans: (spans[0], *count(records)), num_parallel_calls=_PARALLEL, deterministic=True
        )
    )
    found: dict[int, TokenCounts] = {}
    for span, documents, *counts in counted:
        tokens, classes = (_sum([pair]) for pair in (counts[:2], counts[2:]))
        found.setdefault(int(span), TokenCounts()).add(TokenCounts(Counter(tokens), Counter(classes), int(documents)))
    return found


def count_shard(
    path: str, settings: TransformSettings, kind: CorpusKind, subword_model: str | None, phrases: str | None = None
) -> TokenCounts:
    """Counts tokens and classes of a shard of raw SequenceExamples, with the files of a subword model and phrases."""
    count = _count_function(settings, kind, subword_model, phrases)
    documents, tokens, classes = 0, [], []
    for batch_documents, batch_tokens, token_counts, batch_classes, class_counts in map_batches(path, count):
        documents += int(batch_documents)
        tokens.append((batch_tokens, token_counts))
        classes.append((batch_classes, class_counts))
    return TokenCounts(Counter(_sum(tokens)), Counter(_sum(classes)), documents)


@functools.lru_cache(maxsize=1)
def _count_function(
    settings: TransformSettings, kind: CorpusKind, subword_model: str | None, phrases: str | None
) -> Callable[[tf.Tensor], tuple[tf.Tensor, ...]]:
    """Returns the function that counts a batch, traced once per worker: TensorFlow leaks memory with every trace."""
    model = subwords.load(subword_model) if subword_model else None
    joined = load_phrases(phrases, settings) if phrases else None

    def count(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        raw = f.parse_raw(serialized, kind)
        names = _flat(raw[kind.target]) if kind.target else tf.constant([], tf.string)
        classes, _, class_counts = tf.unique_with_counts(names, out_idx=tf.int64)
        return tf.size(raw[f.ID]), *count_tokens(raw, settings, kind, model, joined), classes, class_counts

    traced: Callable[[tf.Tensor], tuple[tf.Tensor, ...]] = tf.function(
        count, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    return traced


def _flat(values: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
    """Returns all values of a feature, [values]."""
    return values.flat_values if isinstance(values, tf.RaggedTensor) else values


def _sum(counted: Sequence[Sequence[tf.Tensor]]) -> dict[str, int]:
    """Sums the counts of batches, string [types] and int64 [types] each, so that Python sees each token only once."""
    if not counted:
        return {}
    tokens, numbers = (tf.concat(parts, 0) for parts in zip(*counted, strict=True))
    distinct, indices = tf.unique(tokens)
    total = tf.math.unsorted_segment_sum(numbers, indices, tf.size(distinct))
    return dict(zip((token.decode() for token in distinct.numpy().tolist()), total.numpy().tolist(), strict=True))


def transform_shard(source: str, target: str, split: str, saved_model: str, job: ShardJob) -> ShardReport:
    """Transforms a shard of raw SequenceExamples with the graph of a SavedModel, in the same order."""
    transform = _load(saved_model, job)
    report, encoder = ShardReport(split), BatchEncoder(job.kind, job.settings.pad)
    with RecordWriter(target, job.output) as writer:
        for given, features in map_batches(source, transform):
            batch = {name: _numpy(value) for name, value in features.items()}
            _count(report, batch, job)
            if job.kind.target is not None:
                numbers = _flat(features[job.kind.target]).numpy()
                report.unknown_classes.update(name.decode() for name in given.numpy()[numbers < 0].tolist())
            if not report.unknown_classes:
                writer.write(encoder.encode(_long_enough(batch, job)))
            progress.report(report.documents, None, "records")
    report.files.append(writer.written())
    return report


@functools.lru_cache(maxsize=1)
def _load(saved_model: str, job: ShardJob) -> Callable[[tf.Tensor], tuple[tf.Tensor, f.Features]]:
    """Loads the transform graph once per worker; the function also returns the given class names and the weights.

    Weights are not part of the graph, because serving has none.
    """
    register_operations()
    graph = tf.saved_model.load(saved_model)

    def transform(serialized: tf.Tensor) -> tuple[tf.Tensor, f.Features]:
        """Returns the class names, string [values], and the transformed features of raw records, string [batch]."""
        raw = f.parse_raw(serialized, job.kind, weighted=True)
        weight = raw.pop(f.WEIGHT)
        if job.kind.tokenized:
            _, names = tagged_tokens(raw, job.settings)
        else:
            names = raw[job.kind.target] if job.kind.target else tf.constant([], tf.string)
        return _flat(names), {**graph.transform_fn(raw), f.WEIGHT: weight}

    traced: Callable[[tf.Tensor], tuple[tf.Tensor, f.Features]] = tf.function(
        transform, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    return traced


def _numpy(value: tf.Tensor | tf.RaggedTensor) -> Any:
    if isinstance(value, tf.RaggedTensor):
        return value.flat_values.numpy(), value.row_splits.numpy()
    return value.numpy()


def _long_enough(batch: Batch, job: ShardJob) -> Batch:
    """Drops the documents that the transform has emptied because they are too short."""
    kept = np.diff(batch[f.TOKENS][1]) > 0
    if job.settings.min_length == 0 or kept.all():
        return batch
    filtered: Batch = {}
    for name, value in batch.items():
        if isinstance(value, tuple):
            lengths = np.diff(value[1])
            filtered[name] = value[0][np.repeat(kept, lengths)], np.concatenate([[0], np.cumsum(lengths[kept])])
        else:
            filtered[name] = value[kept]
    return filtered


def _count(report: ShardReport, batch: Batch, job: ShardJob) -> None:
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
