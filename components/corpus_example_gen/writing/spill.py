"""Bulk data in files outside of the Beam pipeline, so that memory stays bounded.

Beam's engines may keep all elements of a shuffle in memory. Therefore, a step with much output appends it by key to
its own file, and only `Segment`s, the locations in that file, pass through Beam.
"""

from __future__ import annotations

import dataclasses
import itertools
import posixpath
import uuid
from collections.abc import Hashable, Iterable, Iterator

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from apache_beam import pvalue

Key = tuple[Hashable, ...]
"""The kind of record first."""
TaggedSegment = tuple[str, str, int, int, int]
"""The kind of the records, and the fields of their segment; Beam encodes plain tuples best."""
Entries = npt.NDArray[np.void]
"""A structured array with one element per record."""

_MIN_BUFFER, _MAX_BUFFER = 4 << 20, 128 << 20
_MIN_SEGMENT = 64 << 10


@dataclasses.dataclass(frozen=True, order=True)
class Segment:
    """Consecutive records of one key in a file, `length` bytes from `offset`: their entries, then their payloads."""

    path: str
    offset: int
    length: int
    count: int


def buffer_bytes(keys: int) -> int:
    """Returns the buffer size for a number of keys that avoids both tiny segments and unbounded memory."""
    return min(max(keys * _MIN_SEGMENT, _MIN_BUFFER), _MAX_BUFFER)


class Spill:
    """Writes records by key to one new file with a unique name, so that files of failed attempts are never read.

    Args:
        folder: Folder of the file, created with the first record.
        limit: Number of buffered bytes at which the spill is full.
    """

    def __init__(self, folder: str, limit: int = _MIN_BUFFER) -> None:
        self._folder, self._limit = folder, limit
        self._path = posixpath.join(folder, f"spill-{uuid.uuid4().hex}")
        self._file: tf.io.gfile.GFile | None = None
        self._held: dict[Key, tuple[list[bytes], list[bytes]]] = {}
        self._size = self._offset = 0

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def full(self) -> bool:
        """Whether the buffer should be flushed."""
        return self._size >= self._limit

    def add(self, key: Key, entry: bytes, payload: bytes = b"") -> None:
        """Buffers a record: an entry of fixed size and any payload."""
        entries, payloads = self._held.setdefault(key, ([], []))
        entries.append(entry)
        payloads.append(payload)
        self._size += len(entry) + len(payload)

    def flush(self) -> Iterator[tuple[Key, Segment]]:
        """Writes the buffer, and yields a segment for each key; they can be read once the file is closed."""
        held, self._held, self._size = self._held, {}, 0
        if not held:
            return
        if self._file is None:
            tf.io.gfile.makedirs(self._folder)
            self._file = tf.io.gfile.GFile(self._path, "wb")
        for key, (entries, payloads) in held.items():
            data = b"".join(itertools.chain(entries, payloads))
            self._file.write(data)
            yield key, Segment(self._path, self._offset, len(data), len(entries))
            self._offset += len(data)


def tagged(segments: Iterable[tuple[Key, Segment]]) -> Iterator[pvalue.TaggedOutput]:
    """Tags segments with their kinds, the first items of their keys; Beam groups by the rest."""
    for (kind, *key), segment in segments:
        yield pvalue.TaggedOutput(str(kind), (tuple(key), (kind, *dataclasses.astuple(segment))))


def untagged(segments: Iterable[TaggedSegment], kind: str) -> list[Segment]:
    """Returns the segments of a kind."""
    return [Segment(*segment[1:]) for segment in segments if segment[0] == kind]


def read(segments: Iterable[Segment], entry: npt.DTypeLike) -> tuple[Entries, bytearray]:
    """Reads segments; returns their entries, and the payloads in the order of the entries."""
    dtype = np.dtype(entry)
    entries, payloads = bytearray(), bytearray()
    for segment, data in _data(segments):
        size = segment.count * dtype.itemsize
        entries += memoryview(data)[:size]
        payloads += memoryview(data)[size:]
    # np.concatenate would convert big-endian fields to native ones.
    return np.frombuffer(entries, dtype), payloads


def read_bytes(segment: Segment) -> bytes:
    """Reads the bytes of one segment."""
    ((_, data),) = _data([segment])
    return data


def _data(segments: Iterable[Segment]) -> Iterator[tuple[Segment, bytes]]:
    """Yields segments with their bytes; opens each file once."""
    for path, parts in itertools.groupby(sorted(segments), key=lambda segment: segment.path):
        with tf.io.gfile.GFile(path, "rb") as file:
            for segment in parts:
                file.seek(segment.offset)
                data = file.read(segment.length)
                if len(data) != segment.length:
                    raise OSError(f"{path} is truncated within a segment of {segment.length} bytes")
                yield segment, data
