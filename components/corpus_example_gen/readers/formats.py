"""The formats of a corpus; a new one is a reader and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from components.corpus_example_gen.documents import Part, ReadPart, Record
from components.corpus_example_gen.inputs.files import CorpusFile, is_compressed, open_file
from components.corpus_example_gen.readers.conll_reader import read_conll
from components.corpus_example_gen.readers.csv_reader import read_csv
from components.corpus_example_gen.readers.json_reader import read_json
from components.corpus_example_gen.readers.jsonl_reader import read_jsonl
from components.corpus_example_gen.readers.lines import lines_before as _lines_before
from components.corpus_example_gen.readers.parquet_reader import read_parquet, rows_before
from components.corpus_example_gen.readers.text_encoding import is_splittable
from components.corpus_example_gen.readers.text_reader import read_text
from components.corpus_example_gen.readers.tfrecord_reader import read_tfrecord
from components.corpus_example_gen.settings import CorpusSettings

__all__ = ["PART_BYTES", "READERS", "Format", "Part", "lines_before", "parts", "read"]

PART_BYTES = 64 << 20
"""Files that can be split are split into parts of this size."""


class Format(NamedTuple):
    """How files of a format are read.

    Attributes:
        read: Reads a part of an open file.
        is_splittable: Whether a file can be read in parts under the settings.
        before: Counts the lines, or records, of a file before a part.
    """

    read: ReadPart
    is_splittable: Callable[[CorpusSettings], bool] = lambda _: False
    before: Callable[[Part], int] = lambda _: 0


def _by_lines(read: ReadPart) -> Format:
    return Format(
        read, lambda settings: settings.document != "file" and is_splittable(settings.encoding), _lines_before
    )


READERS: dict[str, Format] = {
    "text": _by_lines(read_text),
    "csv": Format(read_csv),
    "tsv": Format(read_csv),
    "jsonl": _by_lines(read_jsonl),
    "json": Format(read_json),
    "parquet": Format(read_parquet, lambda _: True, rows_before),
    "tf_example": Format(read_tfrecord),
    "tf_sequence_example": Format(read_tfrecord),
    "conll": _by_lines(read_conll),
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


def lines_before(part: Part, settings: CorpusSettings) -> int:
    """Counts the lines, or records, of a file before a part: what to add to `Document.line`.

    It reads the file up to there, so ask once a part, and only for what a person reads.
    """
    return READERS[settings.format].before(part)
