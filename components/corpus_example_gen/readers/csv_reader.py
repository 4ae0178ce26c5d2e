"""CSV as in RFC 4180, except that a stray quote costs one line and never swallows the following lines; TSV by lines.

A file is one part: only a reader from its start knows whether a line end is within a quoted field.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from components.corpus_example_gen.documents import MAX_DOCUMENT_BYTES, ROLES, Part, Record, RecordError, too_long
from components.corpus_example_gen.readers.document_builder import DocumentBuilder, join_columns
from components.corpus_example_gen.readers.header import column_index
from components.corpus_example_gen.readers.lines import Lines
from components.corpus_example_gen.readers.text_encoding import TextEncoding
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError

MAX_RECORD_BYTES = 8 << 20
"""Limit of a quoted field that spans lines."""
_MAX_FIELD_CHARS = 2 * MAX_RECORD_BYTES

Picker = Callable[[list[str]], list[Any]]

# MySQL and PostgreSQL write these letters behind a backslash for characters; any other character means itself.
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "Z": "\x1a"}


def read_csv(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads a CSV or TSV file; skips blank lines.

    Raises:
        JobError: If the header cannot be read or lacks a column.
    """
    csv.field_size_limit(max(_MAX_FIELD_CHARS, csv.field_size_limit()))
    physical = Lines(file, part, settings)
    lines = _Lines(physical, settings.escape if settings.format == "tsv" else None)
    dialect = _dialect(settings)
    rows = csv.reader(lines, strict=True, **dialect)
    header = list(settings.header) if isinstance(settings.header, tuple) else _first_row(lines, rows, part.path)
    if header is None:
        return
    if settings.header is False:
        header = [str(number) for number in range(1, len(header) + 1)]
        lines.push_back(0)
    pick = _column_picker(header, part.path, settings)
    has_blanks = dialect["quoting"] == csv.QUOTE_MINIMAL and any(name.startswith(" ") for name in header)
    width, source = len(header), "the header has" if settings.header is True else "expected"
    builder = DocumentBuilder(part, settings, physical.encoding)
    while True:
        line = lines.start()
        try:
            row = next(rows)
            if len(row) != width:
                if not row or (len(row) == 1 and not row[0].strip()):
                    continue
                if settings.short_rows and len(row) < width:
                    row += [""] * (width - len(row))
            if len(row) != width:
                raise _StructureError(f"wrong number of columns: {len(row)}, {source} {width}")
            lines.check()
            # In a file with blanks behind delimiters, such a field is a quoted one.
            if has_blanks and any(field.startswith(" ") and field.lstrip().startswith('"') for field in row):
                raise RecordError("blank before a quote: set corpus.skip_blanks: true, and remove blanks from names")
            document = builder.document(line, *pick(row))
            yield document if lines.taken == 1 else document._replace(lines=lines.taken)
        except StopIteration:
            return
        except (csv.Error, _StructureError) as error:
            # Unless the quotes are right, only the first line certainly belongs to this record.
            lines.push_back(1)
            yield builder.bad(line, _structure_reason(error), lines.raw())
        except RecordError as error:
            yield builder.bad(line, str(error), lines.raw())


def read_rows(file: BinaryIO, path: str, settings: CorpusSettings) -> Iterator[list[str] | None]:
    """Yields all rows that are not blank, the header's too, whatever their width; None for records that are no rows."""
    csv.field_size_limit(max(_MAX_FIELD_CHARS, csv.field_size_limit()))
    physical = Lines(file, Part(path), settings)
    lines = _Lines(physical, settings.escape if settings.format == "tsv" else None)
    rows = csv.reader(lines, strict=True, **_dialect(settings))
    while True:
        lines.start()
        try:
            row = next(rows)
            lines.check()
            if any(field.strip() for field in row):
                yield row
        except StopIteration:
            return
        except (csv.Error, RecordError) as error:
            if isinstance(error, csv.Error):
                lines.push_back(1)
            yield None


class _StructureError(Exception):
    """The record's shape differs from the header's."""


class _Lines:
    """Decoded physical lines of a file; keeps those of the current record, which can be read again."""

    def __init__(self, lines: Lines, escape: str | None) -> None:
        self._lines = iter(lines)
        self._escape = escape or ""
        mark = re.escape(self._escape)
        self._null, self._escaped = (
            re.compile(rf"(?:(?<=\t)|^){mark}N(?=[\t\r\n]|$)"),
            re.compile(rf"{mark}(.)", re.DOTALL),
        )
        self._encoding: TextEncoding = lines.encoding
        self._returned: list[bytes] = []
        self._taken: list[bytes] = []
        self._size = 0
        self._broken = False
        self._line = 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._size > MAX_RECORD_BYTES:
            raise StopIteration
        line = self._returned.pop() if self._returned else next(self._lines)
        self._taken.append(line)
        self._size += len(line)
        try:
            text = self._encoding.decode(line)
        except RecordError:
            self._broken = True
            text = self._encoding.decode_leniently(line)
        if self._escape and self._escape in text:
            text = self._null.sub("", text)
            text = self._escaped.sub(lambda match: self._escape + _ESCAPED.get(match[1], match[1]), text)
        if "\0" in text:
            # Python 3.10's csv module stops at a NUL, later ones accept it; here the whole record is bad.
            self._broken = True
            text = text.replace("\0", " ")
        return text

    def start(self) -> int:
        """Starts a record and returns the number of its first line, from 1."""
        self._line += len(self._taken)
        self._taken.clear()
        self._size = 0
        self._broken = False
        return self._line

    def raw(self) -> bytes:
        """Returns the bytes of the current record."""
        return b"".join(self._taken)

    def check(self) -> None:
        """Raises RecordError if the record is too long, or has a NUL or invalid bytes."""
        if self._size > MAX_DOCUMENT_BYTES:
            raise too_long()
        if self._broken:
            raw = self.raw()
            position = self._encoding.find_nul(raw)
            if position >= 0:
                raise RecordError(f"NUL byte: at byte {position} of the record")
            self._encoding.decode(raw)
            raise RecordError("NUL byte: in an escape")

    @property
    def taken(self) -> int:
        """The number of lines of the current record."""
        return len(self._taken)

    def push_back(self, kept: int) -> None:
        """Gives back all lines of the record but the first ones, to be read again."""
        self._returned.extend(reversed(self._taken[kept:]))
        del self._taken[kept:]


def _dialect(settings: CorpusSettings) -> dict[str, Any]:
    is_tsv = settings.format == "tsv"
    quoting = settings.quoting or ("none" if is_tsv else "minimal")
    return {
        "delimiter": "\t" if is_tsv else settings.delimiter or ",",
        "quoting": csv.QUOTE_NONE if quoting == "none" else csv.QUOTE_MINIMAL,
        "escapechar": settings.escape,
        "skipinitialspace": settings.skip_blanks,
    }


def _structure_reason(error: Exception) -> str:
    message = str(error)
    if isinstance(error, _StructureError):
        return message
    if "unexpected end of data" in message:
        return "quote never closed"
    if "expected after" in message:
        return "text after a closing quote: quotes within a quoted field must be doubled"
    if "new-line character" in message:
        return "carriage return in an unquoted field"
    if "field limit" in message:
        return f"field too long: more than {_MAX_FIELD_CHARS} characters"
    return f"broken CSV: {message}"


def _first_row(lines: _Lines, rows: Iterator[list[str]], path: str) -> list[str] | None:
    """Returns the first row that is not blank, or None for an empty file."""
    header: list[str] = []
    while not any(name.strip() for name in header):
        line = lines.start()
        try:
            header = next(rows)
            lines.check()
        except StopIteration:
            return None
        except (csv.Error, RecordError) as error:
            raw = lines.raw()
            reason = str(error) if isinstance(error, RecordError) else _structure_reason(error)
            raise JobError(
                "The header row of a CSV file cannot be read.",
                where=f"{path}, line {line}",
                found=f"{reason}; the line starts with {raw[:80]!r}",
                expected="a first row with the names of the columns that ends with \\n or \\r\\n",
                fix="Repair the row, or set corpus.format to the format of the file.",
            ) from None
    return header


def _column_picker(header: list[str], path: str, settings: CorpusSettings) -> Picker:
    """Returns a function from a row to the values of the roles."""
    where = f"{path}, header row" if settings.header is True else f"{path}, corpus.header"
    header_row = "Is there a header row? If not, set corpus.header to the names of the columns, or to false"
    hint = f"; corpus.delimiter is their separator. {header_row}"
    texts = [column_index("text", name, header, where, of="CSV", hint=hint) for name in settings.text_columns]
    indices = [
        None if name is None else column_index(role, name, header, where, of="CSV", hint=hint)
        for role, name in ((role, getattr(settings, role)) for role in ROLES[1:])
    ]
    return lambda row: [
        join_columns([row[index] for index in texts]),
        *(None if index is None else row[index] for index in indices),
    ]
