"""Where documents are from, and the numbers of their lines in the whole file."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from components.corpus_example_gen.files import open_file

PLACE = np.dtype([("file", ">u4"), ("start", ">u8"), ("line", ">u8")])
"""A place, as `pack` writes it."""

_PLACE = struct.Struct(">IQQ")
_CHUNK_BYTES = 1 << 20


class Place(NamedTuple):
    """Where a document is from; places have the order of the documents.

    Attributes:
        file: Number of the file.
        start: Where the part starts that it was read with.
        line: Its line, from 1, counted from there.
    """

    file: int
    start: int
    line: int


def pack(file: int, start: int, line: int) -> bytes:
    """Returns a place as bytes."""
    return _PLACE.pack(file, start, line)


class LineNumbers:
    """Counts the lines before parts of files; nothing is counted twice."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, int]] = {}

    def before(self, path: str, start: int) -> int:
        """Returns the number of lines before the first one that starts at byte `start` or behind it."""
        if start == 0:
            return 0
        # The line that the byte before the part belongs to ends in the part, or with that byte.
        stop = start - 1
        counts = self._counts.setdefault(path, {0: 0})
        if stop not in counts:
            known = max(position for position in counts if position < stop)
            counts[stop] = counts[known] + _count_lines(path, known, stop)
        return counts[stop] + 1


def _count_lines(path: str, start: int, stop: int) -> int:
    found = 0
    with open_file(path) as file:
        file.seek(start)
        while start < stop and (chunk := file.read(min(stop - start, _CHUNK_BYTES))):
            found += chunk.count(b"\n")
            start += len(chunk)
    return found
