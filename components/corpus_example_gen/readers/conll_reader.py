"""CoNLL-style columns: one token with its tag per line, a blank line between sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from components.corpus_example_gen.documents import MAX_SENTENCE_BYTES, Part, Record, RecordError, too_long
from components.corpus_example_gen.format_keys import ColumnSettings
from components.corpus_example_gen.readers.conllu_reader import CONLLU_COLUMNS, NO_WORD
from components.corpus_example_gen.readers.document_builder import DocumentBuilder, require_aligned
from components.corpus_example_gen.readers.lines import Lines, lines_before
from components.corpus_example_gen.settings import CorpusSettings

_DOCUMENT_START = "-DOCSTART-"
# Only blanks and tabs separate columns: a token may contain a no-break space.
_COLUMN = re.compile(r"[^ \t]+")


def read_conll(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads the tagged sentences of a part, without comments and `-DOCSTART-` lines.

    One bad line makes the whole sentence bad: it would be a different sentence without that token.
    """
    lines = Lines(file, part, settings)
    builder = DocumentBuilder(part, settings, lines.encoding, lambda: lines_before(part))
    columns = settings.columns or ColumnSettings()
    split: Callable[[str], list[str]] = (
        _COLUMN.findall if settings.delimiter is None else lambda line: line.split(settings.delimiter)
    )
    skipped = (_DOCUMENT_START, columns.comment) if columns.comment else _DOCUMENT_START
    for number, raw in lines.blocks(MAX_SENTENCE_BYTES):
        try:
            if len(raw) > MAX_SENTENCE_BYTES:
                raise too_long(MAX_SENTENCE_BYTES)
            text = lines.encoding.decode(raw).replace("\r\n", "\n")
            rows = [split(line) for line in text.split("\n") if line and not line.startswith(skipped)]
            if rows:
                yield builder.tagged(number, *_pick(rows, columns, settings.delimiter))
        except RecordError as error:
            yield builder.bad(number, str(error), raw)


def _pick(rows: list[list[str]], columns: ColumnSettings, delimiter: str | None) -> tuple[list[str], list[str]]:
    """Returns the tokens and their tags."""
    token, tag = (column - 1 if column > 0 else column for column in (columns.token, columns.tag))
    required = max(column if column > 0 else -column for column in (columns.token, columns.tag))
    for position, row in enumerate(rows, 1):
        width = len(row)
        if width == CONLLU_COLUMNS and NO_WORD.fullmatch(row[0]):
            reason = f"CoNLL-U: {row[0]} at token {position} is no word, but a range or an empty node"
            raise RecordError(f"{reason}; set corpus.format: conllu")
        if not columns.uneven and width != len(rows[0]):
            raise RecordError(f"wrong number of columns: {width} at token {position}, the first has {len(rows[0])}")
        if width < required or (token != tag and token % width == tag % width):
            wanted = f"the token is in column {columns.token} and the tag in {columns.tag}"
            raise RecordError(f"too few columns: {width}, {wanted}{_separator_hint(row, delimiter)}")
    return require_aligned([row[token] for row in rows], [row[tag] for row in rows])


def _separator_hint(row: list[str], delimiter: str | None) -> str:
    """Returns what may separate the columns of a line that seems to have only one."""
    if delimiter is not None and len(row) == 1 and len(row[0].split()) > 1:
        return "; white space may separate them: remove corpus.delimiter"
    found = next((mark for mark in ",;|" if len(row) == 1 and mark in row[0][1:-1]), None)
    return f"; {found!r} may separate them: set corpus.delimiter" if found else ""
