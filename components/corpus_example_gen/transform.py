"""The Beam pipeline: files to records, records to ordered shards, bad records to the quarantine."""

from __future__ import annotations

import dataclasses
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import tensorflow as tf
from apache_beam import pvalue

from components.beam_results import WriteJson
from components.corpus_example_gen import quarantine, summary
from components.corpus_example_gen.encode import encode
from components.corpus_example_gen.files import open_file
from components.corpus_example_gen.readers import READERS
from components.corpus_example_gen.records import BadRecord
from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.splits import Splitter, order_key, shard_of
from trainer import progress
from trainer.errors import JobError

SHARD_BYTES = 64 << 20
_BATCH_BYTES = 4 << 20
_REPORT_EVERY = 1_000
_BAD, _EVENTS = "bad", "events"

ShardKey = tuple[str, int]
Batch = list[tuple[bytes, bytes]]
"""Order keys with serialized examples; batches, because Beam's cost is by element, not by byte."""
Event = tuple[str, Any]


@dataclasses.dataclass(frozen=True)
class Destination:
    """Where a run writes.

    Attributes:
        examples: Folder of the splits.
        quarantine: Folder of the bad records.
        summary: File of the events, for `summary.from_events`.
    """

    examples: str
    quarantine: str
    summary: str


def shard_counts(size: int, weights: dict[str, int]) -> dict[str, int]:
    """Returns the number of shards of each split for that many bytes of input."""
    total = sum(weights.values())
    return {split: max(1, -(-size * weight // (total * SHARD_BYTES))) for split, weight in weights.items()}


class WriteCorpus(beam.PTransform):
    """Reads the files whose paths come in, and writes the splits, the quarantine and a summary.

    Args:
        settings: How records are read.
        weights: Weight of each split by name.
        shards: Number of shards of each split.
        destination: Where to write.
    """

    def __init__(
        self, settings: CorpusSettings, weights: dict[str, int], shards: dict[str, int], destination: Destination
    ) -> None:
        super().__init__()
        self._settings, self._weights, self._shards, self._destination = settings, weights, shards, destination

    def expand(self, pcoll: beam.PCollection[str]) -> beam.PCollection[None]:
        """Writes the summary once all else is written."""
        read = (
            pcoll
            | "Spread" >> beam.Reshuffle()
            | "Read"
            >> beam.ParDo(_ReadFile(self._settings, self._weights, self._shards)).with_outputs(
                _BAD, _EVENTS, main="good"
            )
        )
        written = (
            read["good"]
            | "GroupByShard" >> beam.GroupByKey()
            | "WriteShard" >> beam.ParDo(_WriteShard(self._shards, self._destination.examples))
        )
        quarantined = (
            read[_BAD]
            | "KeyBad" >> beam.WithKeys(0)
            | "GroupBad" >> beam.GroupByKey()
            | "WriteQuarantine" >> beam.ParDo(_WriteQuarantine(self._destination.quarantine))
        )
        return (
            (read[_EVENTS], written, quarantined)
            | "Events" >> beam.Flatten()
            | "WriteSummary" >> WriteJson(self._destination.summary)
        )


class _ReadFile(beam.DoFn):
    """One file to batches for each shard, bad records, and the number of records read."""

    def __init__(self, settings: CorpusSettings, weights: dict[str, int], shards: dict[str, int]) -> None:
        self._settings, self._weights, self._shards = settings, weights, shards
        self._seen = 0

    def setup(self) -> None:
        self._splitter = Splitter(self._weights)
        self._seen = 0

    def process(self, path: str) -> Iterator[Any]:
        """Yields ((split, shard), batch), and tagged bad records and events."""
        before = self._seen
        batches: dict[ShardKey, Batch] = {}
        size = 0
        try:
            with open_file(path) as file:
                for record in READERS[self._settings.format](file, path, self._settings):
                    self._seen += 1
                    if self._seen % _REPORT_EVERY == 0:
                        progress.report(self._seen, None, "records")
                    if isinstance(record, BadRecord):
                        yield pvalue.TaggedOutput(_BAD, tuple(record))
                        continue
                    identity, serialized = record.id.encode(), encode(record)
                    split, key = self._splitter.split(identity), order_key(identity)
                    shard = split, shard_of(key, self._shards[split])
                    batches.setdefault(shard, []).append((key, serialized))
                    size += len(serialized)
                    if size >= _BATCH_BYTES:
                        yield from batches.items()
                        batches, size = {}, 0
        except JobError as error:
            yield pvalue.TaggedOutput(_EVENTS, summary.fault(error))
        yield from batches.items()
        yield pvalue.TaggedOutput(_EVENTS, (summary.READ, self._seen - before))


class _WriteShard(beam.DoFn):
    """All batches of a shard, in order, to its file."""

    def __init__(self, shards: dict[str, int], folder: str) -> None:
        self._shards, self._folder = shards, folder

    def process(self, element: tuple[ShardKey, Iterable[Batch]]) -> Iterator[Event]:
        """Yields the number of documents written."""
        (split, shard), batches = element
        records = sorted(record for batch in batches for record in batch)
        folder = posixpath.join(self._folder, f"Split-{split}")
        path = posixpath.join(folder, f"data_tfrecord-{shard:05d}-of-{self._shards[split]:05d}.gz")
        tf.io.gfile.makedirs(folder)
        # A retried bundle writes the same bytes under the same name; readers never see half a file.
        partial = posixpath.join(self._folder, f"partial-{split}-{shard:05d}")
        with tf.io.TFRecordWriter(partial, tf.io.TFRecordOptions("GZIP")) as writer:
            for _, serialized in records:
                writer.write(serialized)
        tf.io.gfile.rename(partial, path, overwrite=True)
        yield summary.WRITTEN, (split, len(records))


class _WriteQuarantine(beam.DoFn):
    """All bad records, by file and line, to the quarantine."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def process(self, element: tuple[int, Iterable[tuple[str, int, str, str]]]) -> Iterator[Event]:
        """Yields their number by reason."""
        records = [BadRecord(*fields) for fields in sorted(element[1])]
        quarantine.write_quarantine(self._folder, records)
        reasons = Counter(record.category for record in records)
        examples: dict[str, str] = {}
        for record in records:
            examples.setdefault(record.category, f"{record.file}, line {record.line}: {record.reason}")
        yield summary.QUARANTINED, {"count": len(records), "reasons": dict(reasons), "examples": examples}
