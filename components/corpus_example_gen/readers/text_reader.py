"""Plain text: a document is a line, a paragraph or a file; and fastText's lines of labels and text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from components.corpus_example_gen.documents import MAX_DOCUMENT_BYTES, Part, Record, RecordError, too_long
from components.corpus_example_gen.readers.document_builder import DocumentBuilder
from components.corpus_example_gen.readers.lines import Lines, lines_before
from components.corpus_example_gen.settings import CorpusSettings

_PREFIX = "__label__"
_BLANKS = " \t\n\v\f\r"
_LABEL = re.compile(rf"(?<![^{_BLANKS}]){_PREFIX}([^{_BLANKS}]*)[{_BLANKS}]*")


def read_text(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads the lines, paragraphs or file of a part that are not blank; strips line ends from their ends."""
    lines = Lines(file, part, settings)
    decode, is_blank = lines.encoding.decode, lines.encoding.is_blank
    builder = DocumentBuilder(part, settings, lines.encoding, lambda: lines_before(part))
    for number, raw in _records(lines, settings.document):
        if is_blank(raw):
            continue
        try:
            if len(raw) > MAX_DOCUMENT_BYTES:
                raise too_long()
            yield builder.document(number, decode(raw).rstrip("\r\n"))
        except RecordError as error:
            yield builder.bad(number, str(error), raw)


def read_fasttext(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads the lines of a part that are not blank: words that start with `__label__` are labels, the rest is text.

    As fastText's own reader, it takes labels anywhere in a line, and ASCII white space as their ends.
    """
    lines = Lines(file, part, settings)
    builder = DocumentBuilder(part, settings, lines.encoding, lambda: lines_before(part))
    for number, raw in enumerate(lines, 1):
        if lines.encoding.is_blank(raw):
            continue
        try:
            if len(raw) > MAX_DOCUMENT_BYTES:
                raise too_long()
            line = lines.encoding.decode(raw)
            labels = list(dict.fromkeys(_LABEL.findall(line)))
            if not settings.multi_label and len(labels) != 1:
                found = ", ".join(ascii(label)[:40] for label in labels[:8]) or f"no word starts with {_PREFIX}"
                reason = f"several labels: {found}; set corpus.multi_label: true" if labels else f"no label: {found}"
                raise RecordError(reason)
            text = _LABEL.sub("", line).strip(_BLANKS)
            yield builder.document(number, text, labels if settings.multi_label else labels[0])
        except RecordError as error:
            yield builder.bad(number, str(error), raw)


def _records(lines: Lines, document: str | None) -> Iterator[tuple[int, bytes]]:
    if document == "paragraph":
        yield from lines.blocks(MAX_DOCUMENT_BYTES)
    elif document == "file":
        whole = bytearray()
        for line in lines:
            whole += line
            if len(whole) > MAX_DOCUMENT_BYTES:
                break
        yield 1, bytes(whole)
    else:
        yield from enumerate(lines, 1)
