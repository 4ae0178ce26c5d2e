"""The origins of documents, and their line numbers in the whole file."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings

PLACE = np.dtype([("file", ">u4"), ("start", ">u8"), ("line", ">u8")])
"""A place as written by `pack`."""


class Place(NamedTuple):
    """A document's origin: file number, start of its part, and line within the part, from 1; sorts like documents."""

    file: int
    start: int
    line: int


def pack(place: Place) -> bytes:
    """Returns a place as bytes."""
    return struct.pack(">IQQ", *place)


class LineNumbers:
    """Line numbers in whole files; counts the lines before each part once."""

    def __init__(self, settings: CorpusSettings) -> None:
        self._settings = settings
        self._counts: dict[tuple[str, int], int] = {}

    def line(self, path: str, place: Place) -> int:
        """Returns the line of a place in the file at `path`."""
        part = path, place.start
        if part not in self._counts:
            self._counts[part] = formats.lines_before(formats.Part(*part), self._settings)
        return self._counts[part] + place.line
