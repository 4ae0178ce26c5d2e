"""Plain text: a document is a line, a paragraph or a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from components.corpus_example_gen.documents import MAX_DOCUMENT_BYTES, Part, Record, RecordError, too_long
from components.corpus_example_gen.readers.document_builder import DocumentBuilder
from components.corpus_example_gen.readers.lines import Lines, lines_before
from components.corpus_example_gen.settings import CorpusSettings


def read_text(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads documents from a part of a text file.

    Args:
        file: The open file.
        part: The part; the whole file, where a document is a file.
        settings: What a document is.

    Yields:
        A document or a bad record for each line, paragraph or file that is not blank; line ends at the end of a
        document are no part of it.
    """
    lines = Lines(file, part, settings)
    decode, is_blank = lines.encoding.decode, lines.encoding.is_blank
    builder = DocumentBuilder(part, settings, lines.encoding, lambda: lines_before(part))
    for number, raw in _RECORDS[settings.document or "line"](lines):
        if is_blank(raw):
            continue
        try:
            if len(raw) > MAX_DOCUMENT_BYTES:
                raise too_long()
            yield builder.document(number, decode(raw).rstrip("\r\n"))
        except RecordError as error:
            yield builder.bad(number, str(error), raw)


def _lines(lines: Lines) -> Iterator[tuple[int, bytes]]:
    return enumerate(lines, 1)


def _paragraphs(lines: Lines) -> Iterator[tuple[int, bytes]]:
    return ((number, b"".join(block)) for number, block in lines.blocks())


def _file(lines: Lines) -> Iterator[tuple[int, bytes]]:
    kept, size = [], 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size > MAX_DOCUMENT_BYTES:
            break
    yield 1, b"".join(kept)


_RECORDS = {"line": _lines, "paragraph": _paragraphs, "file": _file}
