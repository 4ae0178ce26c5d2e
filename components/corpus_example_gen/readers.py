"""The formats of a corpus; a new one is a reader and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from components.corpus_example_gen.csv_reader import read_csv
from components.corpus_example_gen.files import CorpusFile, is_compressed, open_file
from components.corpus_example_gen.jsonl_reader import read_jsonl
from components.corpus_example_gen.records import Part, ReadPart, Record
from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.text_encoding import is_splittable

__all__ = ["PART_BYTES", "READERS", "Format", "Part", "parts", "read"]

PART_BYTES = 64 << 20
"""Files that can be split are split into parts of this size."""


class Format(NamedTuple):
    """How files of a format are read.

    Attributes:
        read: Reads a part of an open file.
        is_splittable: Whether a file can be read in parts under the settings.
    """

    read: ReadPart
    is_splittable: Callable[[CorpusSettings], bool]


def _never(_: CorpusSettings) -> bool:
    return False


def _by_lines(settings: CorpusSettings) -> bool:
    return is_splittable(settings.encoding)


READERS: dict[str, Format] = {
    "csv": Format(read_csv, _never),
    "tsv": Format(read_csv, _never),
    "jsonl": Format(read_jsonl, _by_lines),
}


def parts(file: CorpusFile, settings: CorpusSettings) -> list[Part]:
    """Splits a file into parts, which can be read apart and hold each record once; small files are one part."""
    splits = READERS[settings.format].is_splittable(settings) and not is_compressed(file.path)
    starts = list(range(0, file.size, PART_BYTES)) if splits else [0]
    stops = [*starts[1:], None]
    return [Part(file.path, start, stop) for start, stop in zip(starts or [0], stops, strict=True)]


def read(part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads the records of a part.

    Args:
        part: What `parts` gave, or a whole file.
        settings: How records are read.

    Yields:
        A document or a bad record for each record.

    Raises:
        JobError: If the file as a whole cannot be read.
    """
    with open_file(part.path) as file:
        yield from READERS[settings.format].read(file, part, settings)
