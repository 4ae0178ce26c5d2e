"""The formats of a corpus; a new format needs a reader and an entry in `READERS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from components.corpus_example_gen.documents import Part, ReadPart, Record
from components.corpus_example_gen.inputs.files import CorpusFile, is_compressed, open_file
from components.corpus_example_gen.readers.conll_reader import read_conll
from components.corpus_example_gen.readers.conllu_reader import read_conllu
from components.corpus_example_gen.readers.delimited.csv_reader import read_csv
from components.corpus_example_gen.readers.json_reader import read_json
from components.corpus_example_gen.readers.jsonl_reader import read_jsonl
from components.corpus_example_gen.readers.lines import lines_before as _lines_before
from components.corpus_example_gen.readers.parquet_reader import read_parquet, rows_before
from components.corpus_example_gen.readers.text_reader import read_fasttext, read_text
from components.corpus_example_gen.readers.tfrecord_reader import read_tfrecord
from components.corpus_example_gen.settings import CorpusSettings

__all__ = ["PART_BYTES", "READERS", "Format", "Part", "lines_before", "parts", "read"]

PART_BYTES = 64 << 20
"""Size of the parts of splittable files."""


class Format(NamedTuple):
    """A reader, whether it can read files in parts, and how to count the lines or records before a part."""

    read: ReadPart
    is_splittable: Callable[[CorpusSettings], bool] = lambda _: False
    before: Callable[[Part], int] = lambda _: 0


def _by_lines(read: ReadPart) -> Format:
    # A file can start at any byte only if each byte 0x0A ends a line, unlike in UTF-16.
    return Format(read, lambda job: job.document != "file" and "\n".encode(job.encoding) == b"\n", _lines_before)


READERS: dict[str, Format] = {
    "text": _by_lines(read_text),
    "fasttext": _by_lines(read_fasttext),
    "csv": Format(read_csv),
    "tsv": Format(read_csv),
    "jsonl": _by_lines(read_jsonl),
    "json": Format(read_json),
    "parquet": Format(read_parquet, lambda _: True, rows_before),
    "tf_example": Format(read_tfrecord),
    "tf_sequence_example": Format(read_tfrecord),
    "conll": _by_lines(read_conll),
    "conllu": _by_lines(read_conllu),
}


def parts(file: CorpusFile, settings: CorpusSettings) -> list[Part]:
    """Splits a file into parts that together hold each record once and can be read in any order."""
    splits = READERS[settings.format].is_splittable(settings) and not is_compressed(file.path)
    starts = list(range(0, file.size, PART_BYTES)) if splits else [0]
    stops = [*starts[1:], None]
    return [Part(file.path, start, stop) for start, stop in zip(starts or [0], stops, strict=True)]


def read(part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads the documents and bad records of a part from `parts` or of a whole file.

    Raises:
        JobError: If the file cannot be read.
    """
    with open_file(part.path) as file:
        yield from READERS[settings.format].read(file, part, settings)


def lines_before(part: Part, settings: CorpusSettings) -> int:
    """Counts the lines or records of a file before a part, the offset of `Document.line`; this reads all of them."""
    return READERS[settings.format].before(part)
