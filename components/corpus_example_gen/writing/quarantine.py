"""Writes bad records as JSON lines, for a person to read and repair."""

from __future__ import annotations

import dataclasses
import json
import posixpath
import struct
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf

from components.corpus_example_gen.documents import EXCERPT_CHARS, BadRecord
from components.corpus_example_gen.writing import accounting, spill
from components.corpus_example_gen.writing.spill import Segment, Spill, TaggedSegment

BAD = "bad"

_ENTRY = struct.Struct(">QI")
_ENTRY_TYPE = np.dtype([("line", ">u8"), ("length", ">u4")])
_BLOCK_LINES = 10_000
"""Number of a file's lines whose bad records are sorted together."""


def quarantine_file(folder: str) -> str:
    """Returns the path of the quarantine's file in its folder."""
    return posixpath.join(folder, "records.jsonl")


def excerpt(texts: Iterable[str]) -> str:
    """Returns the start of joined segments or tokens."""
    return " ".join(texts)[:EXCERPT_CHARS]


def add(target: Spill, record: BadRecord, file: int) -> None:
    """Spills a bad record of the file with this number."""
    payload = json.dumps(record._asdict(), ensure_ascii=False).encode()
    target.add((BAD, file, record.line // _BLOCK_LINES), _ENTRY.pack(record.line, len(payload)), payload)


class WriteQuarantine(beam.PTransform):
    """Writes bad records, if any, as JSON lines with the keys file, line, reason and record, sorted by file and line.

    Args:
        folder: Folder of the file.
        scratch: Folder of the spill files.
    """

    def __init__(self, folder: str, scratch: str) -> None:
        super().__init__()
        self._folder, self._scratch = folder, scratch

    def expand(self, pcoll: beam.PCollection[tuple[Any, TaggedSegment]]) -> beam.PCollection[accounting.Event]:
        """Yields one event if any record is bad."""
        return (
            pcoll
            | "GroupByBlock" >> beam.GroupByKey()
            | "Sort" >> beam.ParDo(_SortBlock(self._scratch))
            | "AllBlocks" >> beam.WithKeys(0)
            | "GroupBlocks" >> beam.GroupByKey()
            | "Write" >> beam.ParDo(_WriteBlocks(self._folder))
        )


class _SortBlock(beam.DoFn):
    """Sorts the bad records of a block of lines into one segment."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def process(self, element: tuple[tuple[int, int], Iterable[TaggedSegment]]) -> Iterator[Any]:
        """Yields the block, its segment, and the counts and examples of the reasons."""
        block, segments = element
        entries, payloads = spill.read(spill.untagged(segments, BAD), _ENTRY_TYPE)
        lines = sorted(zip(entries["line"].tolist(), _cut(payloads, entries["length"].tolist()), strict=True))
        reasons: Counter[str] = Counter()
        examples: dict[str, str] = {}
        with Spill(self._folder) as target:
            for _, payload in lines:
                record = BadRecord(**json.loads(payload))
                reasons[record.category] += 1
                examples.setdefault(record.category, f"{record.file}, line {record.line}: {record.reason}")
                target.add(block, b"", payload + b"\n")
            ((_, segment),) = target.flush()
        yield block, dataclasses.astuple(segment), dict(reasons), examples


class _WriteBlocks(beam.DoFn):
    """Writes all blocks in order; the file gets its final name once it is complete."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def process(self, element: tuple[int, Iterable[Any]]) -> Iterator[accounting.Event]:
        """Yields the event with the counts and examples of the reasons."""
        reasons: Counter[str] = Counter()
        examples: dict[str, str] = {}
        path = quarantine_file(self._folder)
        partial = f"{path}.{uuid.uuid4().hex}"
        tf.io.gfile.makedirs(self._folder)
        with tf.io.gfile.GFile(partial, "wb") as file:
            for _, segment, found, first in sorted(element[1], key=lambda item: item[0]):
                file.write(spill.read_bytes(Segment(*segment)))
                reasons.update(found)
                examples = first | examples
        tf.io.gfile.rename(partial, path, overwrite=True)
        yield accounting.QUARANTINED, {"count": reasons.total(), "reasons": dict(reasons), "examples": examples}


def _cut(payloads: bytearray, lengths: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for length in lengths:
        yield bytes(payloads[start : start + length])
        start += length
