"""Where documents are from, and the numbers of their lines in the whole file."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings

PLACE = np.dtype([("file", ">u4"), ("start", ">u8"), ("line", ">u8")])
"""A place, as `pack` writes it."""

_PLACE = struct.Struct(">IQQ")


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


def pack(place: Place) -> bytes:
    """Returns a place as bytes."""
    return _PLACE.pack(*place)


class LineNumbers:
    """Counts the lines before parts of files, each part once.

    Args:
        settings: How files are read.
    """

    def __init__(self, settings: CorpusSettings) -> None:
        self._settings = settings
        self._counts: dict[tuple[str, int], int] = {}

    def line(self, path: str, place: Place) -> int:
        """Returns the line of a place in the whole file with that path."""
        part = path, place.start
        if part not in self._counts:
            self._counts[part] = formats.lines_before(formats.Part(*part), self._settings)
        return self._counts[part] + place.line
