"""Writes shards: sorts their documents and drops duplicates."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam import pvalue

from components.corpus_example_gen.documents import BadRecord
from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.writing import accounting, duplicates, quarantine, spill
from components.corpus_example_gen.writing.origins import ORIGIN, LineNumbers, Origin
from components.corpus_example_gen.writing.spill import Entries, Spill, TaggedSegment
from components.shared.example_files import shard_path
from components.shared.span_records import SpanRecords
from components.shared.tfrecord_file import TFRecordFile
from trainer.data import features
from trainer.settings import OutputSettings

DOCUMENTS, DROPS = "documents", "drops"

DOCUMENT = np.dtype([("order", ">u8"), *ORIGIN.descr, ("length", ">u4")])
"""Entry of a serialized document: its order key, its origin, and its length in bytes."""

_ID_CHARS = 80
_GZIP_LEVEL = 3
"""Fast rather than small: raw examples are read only once or twice."""


def entry(order: bytes, origin: bytes, length: int) -> bytes:
    """Returns an entry of the type `DOCUMENT`."""
    return order + origin + struct.pack(">I", length)


class WriteShard(beam.DoFn):
    """Writes the file of a shard from its segments.

    Args:
        settings: How to read records, for their line numbers.
        shards: Number of shards of each split.
        output: How to write.
        folder: Folder of the splits.
        scratch: Folder of the spill files.
        paths: Paths of the files by number; unused unless the corpus has ids.
        spans: The number of the span of each file in a rolling window; empty without a window.
    """

    def __init__(
        self,
        settings: CorpusSettings,
        shards: Mapping[str, int],
        output: OutputSettings,
        folder: str,
        scratch: str,
        paths: Sequence[str],
        spans: Sequence[int] = (),
    ) -> None:
        self._settings, self._shards, self._output = settings, shards, output
        self._folder, self._scratch, self._paths, self._spans = folder, scratch, paths, spans

    def setup(self) -> None:
        """Creates the line numbers."""
        self._lines = LineNumbers(self._settings)

    def process(
        self, element: tuple[tuple[str, int], Iterable[TaggedSegment | tuple[()]]]
    ) -> Iterator[pvalue.TaggedOutput]:
        """Yields the counts of documents, and segments of bad records."""
        (split, shard), values = element
        segments = [value for value in values if value]
        documents, payloads = spill.read(spill.untagged(segments, DOCUMENTS), DOCUMENT)
        drops, _ = spill.read(spill.untagged(segments, DROPS), duplicates.DROP)
        # Dropped documents, with the first document of their id, or None for a duplicate text.
        dropped = {Origin(*origin): Origin(*kept) if by_id else None for origin, kept, by_id in drops.tolist()}
        with Spill(self._scratch) as bad:
            written = self._write(split, shard, _ordered(documents, payloads), dropped, bad)
            yield from spill.tagged(bad.flush())
        removed = sum(first is None for first in dropped.values())
        yield pvalue.TaggedOutput(accounting.EVENTS, (accounting.WRITTEN, (split, written)))
        # All documents of an id are in one shard.
        yield pvalue.TaggedOutput(accounting.EVENTS, (accounting.IDS, len(np.unique(documents["order"]))))
        if removed:
            yield pvalue.TaggedOutput(accounting.EVENTS, (accounting.DUPLICATES, (split, removed)))

    def _write(
        self,
        split: str,
        shard: int,
        documents: Iterable[tuple[Origin, bytes]],
        dropped: Mapping[Origin, Origin | None],
        bad: Spill,
    ) -> int:
        """Writes the file; returns the number of its records."""
        path = shard_path(self._folder, split, shard, self._shards[split], self._output.suffix)
        written, spans = 0, SpanRecords(max(self._spans, default=-1) + 1)
        with TFRecordFile(path, self._output, _GZIP_LEVEL) as writer:
            for origin, serialized in documents:
                if origin not in dropped:
                    writer.write(serialized)
                    written += 1
                    if self._spans:
                        spans.add(self._spans[origin.file], serialized)
                elif (first := dropped[origin]) is not None:
                    quarantine.add(bad, self._repeated(serialized, origin, first), origin.file)
        if self._spans and split == "train":  # The only split that is analysed.
            spans.write(path)
        return written

    def _repeated(self, serialized: bytes, origin: Origin, first: Origin) -> BadRecord:
        example = tf.train.SequenceExample.FromString(serialized)
        identity = example.context.feature[features.ID].bytes_list.value[0].decode()
        lists = example.feature_lists.feature_list
        steps = (lists[features.TOKENS] if features.TOKENS in lists else lists[features.TEXT]).feature
        path, first_path = self._paths[origin.file], self._paths[first.file]
        first_line = self._lines.line(first_path, first)
        reason = f"duplicate id: {identity[:_ID_CHARS]!r} is first in {first_path}, line {first_line}"
        texts = (step.bytes_list.value[0].decode() for step in steps)
        return BadRecord(path, self._lines.line(path, origin), reason, quarantine.excerpt(texts))


def _ordered(documents: Entries, payloads: bytearray) -> Iterator[tuple[Origin, bytes]]:
    """Yields the documents in the order of their split."""
    order = np.lexsort((documents["line"], documents["start"], documents["file"], documents["order"]))
    stops = np.cumsum(documents["length"], dtype=np.int64)
    starts = stops - documents["length"]
    view = memoryview(payloads)
    fields = (documents["file"], documents["start"], documents["line"], starts, stops)
    for file, part, line, start, stop in zip(*(field[order].tolist() for field in fields), strict=True):
        yield Origin(file, part, line), bytes(view[start:stop])
