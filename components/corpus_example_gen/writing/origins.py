"""The origins of documents in the corpus, and their line numbers in whole files."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings

ORIGIN = np.dtype([("file", ">u4"), ("start", ">u8"), ("line", ">u8")])
"""An origin as written by `pack`."""


class Origin(NamedTuple):
    """A document's origin: file number, start of its part, and line in the part, from 1; sorts in corpus order."""

    file: int
    start: int
    line: int


def pack(origin: Origin) -> bytes:
    """Returns an origin as bytes."""
    return struct.pack(">IQQ", *origin)


class LineNumbers:
    """Line numbers in whole files; counts the lines before each part once."""

    def __init__(self, settings: CorpusSettings) -> None:
        self._settings = settings
        self._counts: dict[tuple[str, int], int] = {}

    def line(self, path: str, origin: Origin) -> int:
        """Returns the line of an origin in the file at `path`."""
        part = path, origin.start
        if part not in self._counts:
            self._counts[part] = formats.lines_before(formats.Part(*part), self._settings)
        return self._counts[part] + origin.line
