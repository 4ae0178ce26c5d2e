"""The Beam pipeline: reads files, writes sorted shards, and quarantines bad records.

Only small elements pass through Beam: parts of files, segments of spill files, and counts. So engines never hold the
documents in memory.
"""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam import pvalue

from components.corpus_example_gen.documents import BadRecord, Document
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.writing import accounting, duplicates, quarantine, shards
from components.corpus_example_gen.writing.encode import encode
from components.corpus_example_gen.writing.origins import LineNumbers, Origin, pack
from components.corpus_example_gen.writing.spill import Spill, buffer_bytes, read, tagged, untagged
from components.corpus_example_gen.writing.split_assignment import SplitRule, Splitter, order_key, shard_of
from components.shared.beam_results import WriteJson
from trainer.errors import JobError
from trainer.jobs import progress
from trainer.settings import OutputSettings

_REPORT_EVERY = 1_000
_KEYS = "keys"

FileElement = tuple[int, str | None, tuple[str, int, float]]
"""A file's number, its split if given by the file, and the file."""
PartElement = tuple[int, str | None, tuple[str, int, int | None]]
"""The same with a part of the file."""


@dataclasses.dataclass(frozen=True)
class Destination:
    """The output folders of a run: for the splits, the bad records, and temporary files."""

    examples: str
    quarantine: str
    scratch: str

    @property
    def summary(self) -> str:
        """File of the events, for `accounting.from_events`."""
        return posixpath.join(self.scratch, "summary.json")

    @property
    def spill(self) -> str:
        """Folder of the spill files."""
        return posixpath.join(self.scratch, "spill")


@dataclasses.dataclass(frozen=True)
class Plan:
    """How to read records, split documents, and write shards.

    Attributes:
        shards: The number of shards by split.
        spans: The number of the span of each file in a rolling window; empty without a window.
    """

    settings: CorpusSettings
    splits: SplitRule
    shards: dict[str, int]
    output: OutputSettings
    spans: tuple[int, ...] = ()

    @property
    def unique(self) -> tuple[duplicates.By, ...]:
        """The criteria by which documents must differ, in the order of the checks."""
        by_id: tuple[duplicates.By, ...] = () if self.settings.id is None else ("id",)
        return (*by_id, "text") if self.settings.dedupe else by_id

    @property
    def buckets(self) -> int:
        """The number of buckets of keys, each of which is smaller than a shard."""
        return sum(self.shards.values())


class WriteCorpus(beam.PTransform):
    """Reads the input files, and writes the splits, the quarantine and a summary; `paths` are those of the files."""

    def __init__(self, plan: Plan, paths: Sequence[str], destination: Destination) -> None:
        super().__init__()
        self._plan, self._paths, self._destination = plan, list(paths), destination

    def expand(self, pcoll: beam.PCollection[FileElement]) -> beam.PCollection[None]:
        """Writes everything, the summary last."""
        found = pcoll | "ReadDocuments" >> ReadDocuments(self._plan, self._destination.spill)
        drops, keys = [], found[_KEYS]
        unique = self._plan.unique
        for by, then in zip(unique, (*unique[1:], None), strict=False):
            checked = (
                keys
                | f"GroupBy {by}" >> beam.GroupByKey()
                | f"FindDuplicates {by}"
                >> beam.ParDo(_FindDuplicates(self._plan, by, then, self._destination.spill)).with_outputs(
                    shards.DROPS, _KEYS
                )
            )
            drops.append(checked[shards.DROPS])
            keys = checked[_KEYS]
        # Every shard is written, including empty ones.
        empty = [((split, shard), ()) for split, count in self._plan.shards.items() for shard in range(count)]
        written = (
            (found[shards.DOCUMENTS], *drops, pcoll.pipeline | "Shards" >> beam.Create(empty, reshuffle=False))
            | "AllSegments" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            | "WriteShard"
            >> beam.ParDo(
                shards.WriteShard(
                    self._plan.settings,
                    self._plan.shards,
                    self._plan.output,
                    self._destination.examples,
                    self._destination.spill,
                    self._paths if "id" in unique else (),
                    self._plan.spans,
                )
            ).with_outputs(quarantine.BAD, accounting.EVENTS)
        )
        quarantined = (
            (found[quarantine.BAD], written[quarantine.BAD])
            | "AllBad" >> beam.Flatten()
            | "Quarantine" >> quarantine.WriteQuarantine(self._destination.quarantine, self._destination.spill)
        )
        return (
            (found[accounting.EVENTS], written[accounting.EVENTS], quarantined)
            | "Events" >> beam.Flatten()
            | "WriteSummary" >> WriteJson(self._destination.summary)
        )


class ReadDocuments(beam.PTransform):
    """Reads files into spill segments: documents by shard, their keys by bucket, bad records by block; and events."""

    def __init__(self, plan: Plan, folder: str) -> None:
        super().__init__()
        self._plan, self._folder = plan, folder

    def expand(self, pcoll: beam.PCollection[FileElement]) -> dict[str, beam.PCollection[Any]]:
        """Returns the segments by kind."""
        split = pcoll | "Split" >> beam.ParDo(_Split(self._plan.settings)).with_outputs(accounting.EVENTS, main="parts")
        found = (
            split["parts"]
            | "Spread" >> beam.Reshuffle()
            | "Read"
            >> beam.ParDo(_ReadPart(self._plan, self._folder)).with_outputs(
                shards.DOCUMENTS, _KEYS, quarantine.BAD, accounting.EVENTS
            )
        )
        events = (split[accounting.EVENTS], found[accounting.EVENTS]) | "ReadEvents" >> beam.Flatten()
        return {kind: found[kind] for kind in (shards.DOCUMENTS, _KEYS, quarantine.BAD)} | {accounting.EVENTS: events}


def file_elements(files: Iterable[tuple[str | None, CorpusFile]]) -> list[FileElement]:
    """Returns the elements for `WriteCorpus`, numbered in order."""
    return [(number, split, (*file,)) for number, (split, file) in enumerate(files)]


class _Split(beam.DoFn):
    """Splits a file into parts."""

    def __init__(self, settings: CorpusSettings) -> None:
        self._settings = settings

    def process(self, element: FileElement) -> Iterator[Any]:
        """Yields parts, and tagged errors."""
        number, split, file = element
        try:
            for part in formats.parts(CorpusFile(*file), self._settings):
                yield number, split, tuple(part)
        except JobError as error:
            yield pvalue.TaggedOutput(accounting.EVENTS, accounting.fault(error))


class _ReadPart(beam.DoFn):
    """Reads a part of a file into segments, and counts its records."""

    def __init__(self, plan: Plan, folder: str) -> None:
        self._plan, self._folder = plan, folder
        self._seen = 0

    def setup(self) -> None:
        self._splitter = Splitter(self._plan.splits.weights)
        self._numbers = {split: number for number, split in enumerate(self._plan.splits.names)}
        self._unique, self._buckets = self._plan.unique, self._plan.buckets
        self._limit = buffer_bytes(self._plan.buckets)
        self._lines = LineNumbers(self._plan.settings)
        self._seen = 0

    def process(self, element: PartElement) -> Iterator[Any]:
        """Yields tagged segments by their keys, and tagged events."""
        number, given, fields = element
        part = formats.Part(*fields)
        before, spanning = self._seen, 0
        with Spill(self._folder, self._limit) as spill:
            try:
                for record in formats.read(part, self._plan.settings):
                    self._seen += 1
                    if self._seen % _REPORT_EVERY == 0:
                        progress.report(self._seen, None, "records")
                    if isinstance(record, Document):
                        spanning += record.lines > 1
                        self._add(spill, record, part, number, given)
                    else:
                        quarantine.add(spill, record, number)
                    if spill.full:
                        yield from tagged(spill.flush())
            except JobError as error:
                yield pvalue.TaggedOutput(accounting.EVENTS, accounting.fault(error))
            yield from tagged(spill.flush())
        yield pvalue.TaggedOutput(accounting.EVENTS, (accounting.READ, self._seen - before))
        yield pvalue.TaggedOutput(accounting.EVENTS, (accounting.SPANNING, spanning))

    def _add(self, spill: Spill, document: Document, part: formats.Part, number: int, given: str | None) -> None:
        identity, origin = document.id.encode(), Origin(number, part.start, document.line)
        by_column = self._plan.splits.by == "column"
        split = given or (document.split if by_column else self._splitter.split(identity)) or ""
        if split not in self._numbers:
            reason = f"unknown split: {split!r}, allowed are {', '.join(map(repr, self._numbers))}"
            excerpt = quarantine.excerpt(document.tokens or document.segments)
            quarantine.add(spill, BadRecord(part.path, self._lines.line(part.path, origin), reason, excerpt), number)
            return
        order, serialized, packed = order_key(identity), encode(document), pack(origin)
        shard = shard_of(order, self._plan.shards[split])
        spill.add((shards.DOCUMENTS, split, shard), shards.entry(order, packed, len(serialized)), serialized)
        if self._unique:
            key = duplicates.key(document, self._unique, origin=packed, split=self._numbers[split], shard=shard)
            spill.add((_KEYS, duplicates.bucket_of(key, self._unique[0], self._buckets)), key)


class _FindDuplicates(beam.DoFn):
    """Finds the documents of a bucket to drop, by shard, and passes on the keys of the others for the next check."""

    def __init__(self, plan: Plan, by: duplicates.By, then: duplicates.By | None, folder: str) -> None:
        self._plan, self._by, self._then, self._folder = plan, by, then, folder

    def process(self, element: tuple[Any, Iterable[tuple[Any, ...]]]) -> Iterator[Any]:
        """Yields tagged segments by their keys."""
        names, buckets = self._plan.splits.names, self._plan.buckets
        keys, _ = read(untagged(element[1], _KEYS), duplicates.KEY)
        dropped, kept = duplicates.find(keys, self._by, duplicates.preference(names))
        drops = duplicates.drops(keys, dropped, kept, self._by)
        with Spill(self._folder) as spill:
            for (split, shard), drop in zip(keys[dropped][["split", "shard"]].tolist(), drops, strict=True):
                spill.add((shards.DROPS, names[split], shard), drop.tobytes())
            if self._then:
                rest = np.ones(len(keys), bool)
                rest[dropped] = False
                for key in map(np.void.tobytes, keys[rest]):
                    spill.add((_KEYS, duplicates.bucket_of(key, self._then, buckets)), key)
            yield from tagged(spill.flush())
