"""Writes batches of transformed features as TFRecord files of `tf.SequenceExample`."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

import numpy as np
import tensorflow as tf

from components.sequence_transform.shard_report import ShardFile
from components.shared.sequence_encoding import (
    Int64Steps,
    bytes_feature,
    encode_texts,
    float_feature,
    int64_feature,
    sequence_example,
)
from components.shared.tfrecord_file import TFRecordFile
from trainer.data import features as f
from trainer.data.kinds import CorpusKind
from trainer.settings import OutputSettings, PadSettings

_GZIP_LEVEL = 5

Batch = dict[str, Any]
"""Features as numpy arrays; a ragged feature is a pair of values and row splits."""


class RecordWriter:
    """Writes a TFRecord file, and counts and hashes its records."""

    def __init__(self, path: str, output: OutputSettings) -> None:
        self._path, self._file = path, TFRecordFile(path, output, _GZIP_LEVEL)
        self._digest, self._documents = hashlib.sha256(), 0

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def write(self, records: Iterable[bytes]) -> None:
        """Appends records."""
        written: list[bytes] = []
        for record in records:
            self._file.write(record)
            written += (len(record).to_bytes(8, "little"), record)
        self._digest.update(b"".join(written))
        self._documents += len(written) // 2

    def written(self) -> ShardFile:
        """Describes the complete file."""
        return {
            "file": self._path.rpartition("/")[2],
            "documents": self._documents,
            "bytes": tf.io.gfile.stat(self._path).length,
            "sha256": self._digest.hexdigest(),
        }


class BatchEncoder:
    """Serializes batches of transformed features of a kind of corpus, with padding if it is configured."""

    def __init__(self, kind: CorpusKind, pad: PadSettings | None) -> None:
        self._kind, self._pad = kind, pad
        self._steps = Int64Steps()

    def encode(self, batch: Batch) -> Iterator[bytes]:
        """Yields a serialized `tf.SequenceExample` for each document of a batch."""
        lists = [name for name in (f.TOKENS, f.WORDS, f.TAGS, f.LABELS) if name in self._kind.transformed]
        lengths = np.diff(batch[f.TOKENS][1]).tolist()
        padded = [batch[name] if name == f.LABELS else self._padded(*batch[name]) for name in lists]
        encoders = [encode_texts if name == f.WORDS else self._steps.encode_rows for name in lists]
        rows = [encode(*values) for encode, values in zip(encoders, padded, strict=True)]
        labels = batch[f.LABEL].tolist() if f.LABEL in batch else itertools.repeat(None, len(lengths))
        columns = zip(batch[f.ID].tolist(), batch[f.SOURCE].tolist(), labels, lengths, *rows, strict=True)
        weights = batch[f.WEIGHT].tolist()
        for (identity, source, label, length, *steps), weight in zip(columns, weights, strict=True):
            context = {
                f.ID: bytes_feature(identity),
                f.SOURCE: bytes_feature(source),
                f.LENGTH: int64_feature(length),
            }
            if label is not None:
                context[f.LABEL] = int64_feature(label)
            if not math.isnan(weight):
                context[f.WEIGHT] = float_feature(weight)
            yield sequence_example(context, dict(zip(lists, steps, strict=True)))

    def _padded(self, values: Any, splits: Any) -> tuple[Any, Any]:
        """Pads rows to the configured length, if any; no row is longer, because the transform truncates to it."""
        if self._pad is None:
            return values, splits
        rows, width = len(splits) - 1, self._pad.to
        lengths = np.diff(splits)
        columns = np.arange(width)
        real = columns < lengths[:, None] if self._pad.side == "right" else columns >= width - lengths[:, None]
        padded = np.full([rows, width], b"" if values.dtype == object else f.PAD, values.dtype)
        padded[real] = values
        return padded.ravel(), np.arange(rows + 1) * width
