"""CoNLL-style columns: a token a line with its tag, a blank line between sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from components.corpus_example_gen.document_builder import DocumentBuilder
from components.corpus_example_gen.lines import Lines, lines_before
from components.corpus_example_gen.records import MAX_DOCUMENT_BYTES, Part, Record, RecordError, too_long
from components.corpus_example_gen.settings import ColumnSettings, CorpusSettings

_DOCUMENT_START = "-DOCSTART-"
# Only blanks and tabs separate columns: a no-break space may stand within a token.
_COLUMN = re.compile(r"[^ \t]+")

SplitLine = Callable[[str], list[str]]


def read_conll(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads tagged sentences from a part of a file.

    A bad line costs its sentence: without one of its tokens it would be another one.

    Args:
        file: The open file.
        part: The part.
        settings: What separates the columns, and which of them are read.

    Yields:
        A document or a bad record for each sentence; `-DOCSTART-` lines and comments are no part of any.
    """
    lines = Lines(file, part, settings)
    builder = DocumentBuilder(part, settings, lines.encoding, lambda: lines_before(part))
    columns = settings.columns or ColumnSettings()
    split: SplitLine = _COLUMN.findall if settings.delimiter is None else _delimited(settings.delimiter)
    for number, block in lines.blocks():
        raw = b"".join(block)
        try:
            if len(raw) > MAX_DOCUMENT_BYTES:
                raise too_long()
            rows = _rows(lines.encoding.decode(raw), columns.comment, split)
            if rows:
                yield builder.tagged(number, *_pick(rows, columns))
        except RecordError as error:
            yield builder.bad(number, str(error), raw)


def _delimited(delimiter: str) -> SplitLine:
    return lambda line: line.split(delimiter)


def _rows(text: str, comment: str | None, split: SplitLine) -> list[tuple[int, list[str]]]:
    """Returns the columns of each line with its place in the sentence, from 1."""
    rows = []
    for place, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line and not line.startswith(_DOCUMENT_START) and not (comment and line.startswith(comment)):
            rows.append((place, split(line)))
    return rows


def _pick(rows: list[tuple[int, list[str]]], columns: ColumnSettings) -> tuple[list[str], list[str]]:
    """Returns the tokens and their tags."""
    width = len(rows[0][1])
    least = max(column if column > 0 else -column for column in (columns.token, columns.tag))
    token, tag = (column - 1 if column > 0 else column for column in (columns.token, columns.tag))
    if width < least or token % width == tag % width:
        raise RecordError(
            f"too few columns: {width} in line {rows[0][0]} of the sentence, the token is in column {columns.token}"
            f" and the tag in {columns.tag}"
        )
    for place, row in rows:
        if len(row) != width:
            raise RecordError(
                f"wrong number of columns: {len(row)} in line {place} of the sentence, its first has {width}"
            )
        for role, value in (("token", row[token]), ("tag", row[tag])):
            if not value or value.isspace():
                raise RecordError(f"no {role}: the column is empty in line {place} of the sentence")
    return [row[token] for _, row in rows], [row[tag] for _, row in rows]
