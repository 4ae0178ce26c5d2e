"""Files beside the Beam pipeline that hold what must not pass through it, so that memory is bounded.

Beam's engines may keep all elements of a shuffle in memory. So a step that writes much appends it, by key, to a
file of its own, and only `Segment`s, which say where it is, move through Beam.
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
"""First what kind of record it is."""
TaggedSegment = tuple[str, str, int, int, int]
"""The kind of the records, and the fields of their segment; Beam encodes plain tuples best."""
Entries = npt.NDArray[np.void]
"""A structured array, one element a record."""

_LEAST_BUFFER, _MOST_BUFFER = 4 << 20, 128 << 20
_LEAST_SEGMENT = 64 << 10


@dataclasses.dataclass(frozen=True, order=True)
class Segment:
    """Records of one key that stand together in a file: first their entries, then their payloads.

    Attributes:
        path: The file.
        offset: Where the segment starts, in bytes.
        length: Its bytes.
        count: Its records.
    """

    path: str
    offset: int
    length: int
    count: int


def buffer_bytes(keys: int) -> int:
    """Returns how much to hold for that many keys, so that segments neither get tiny nor memory without bound."""
    return min(max(keys * _LEAST_SEGMENT, _LEAST_BUFFER), _MOST_BUFFER)


class Spill:
    """Writes records by key to one new file.

    The name is unique: a repeated attempt writes another file, and what nobody names is never read.

    Args:
        folder: Where the file is made, with the first record.
        limit: Bytes held before they are to be flushed.
    """

    def __init__(self, folder: str, limit: int = _LEAST_BUFFER) -> None:
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
        """Whether to flush."""
        return self._size >= self._limit

    def add(self, key: Key, entry: bytes, payload: bytes = b"") -> None:
        """Holds a record: an entry of fixed size and any payload."""
        entries, payloads = self._held.setdefault(key, ([], []))
        entries.append(entry)
        payloads.append(payload)
        self._size += len(entry) + len(payload)

    def flush(self) -> Iterator[tuple[Key, Segment]]:
        """Writes what is held, and yields a segment for each key; they may be read once the file is closed."""
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
    """Reads segments.

    Args:
        segments: In any order.
        entry: The type of an entry.

    Returns:
        The entries, and the payloads in the order of the entries.
    """
    dtype = np.dtype(entry)
    entries, payloads = bytearray(), bytearray()
    for segment, data in _data(segments):
        size = segment.count * dtype.itemsize
        entries += memoryview(data)[:size]
        payloads += memoryview(data)[size:]
    # NumPy joins arrays of big-endian fields into native ones, whose bytes are others.
    return np.frombuffer(entries, dtype), payloads


def read_bytes(segment: Segment) -> bytes:
    """Reads one segment as it stands."""
    ((_, data),) = _data([segment])
    return data


def _data(segments: Iterable[Segment]) -> Iterator[tuple[Segment, bytes]]:
    """Yields segments with their bytes, each file opened once."""
    for path, parts in itertools.groupby(sorted(segments), key=lambda segment: segment.path):
        with tf.io.gfile.GFile(path, "rb") as file:
            for segment in parts:
                file.seek(segment.offset)
                data = file.read(segment.length)
                if len(data) != segment.length:
                    raise OSError(f"{path} is shorter than it was written: a segment of {segment.length} bytes is torn")
                yield segment, data
