"""CSV after RFC 4180, in which a stray quote costs one line and never swallows the lines behind it."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from components.corpus_example_gen.records import (
    MAX_RECORD_BYTES,
    DocumentBuilder,
    Record,
    RecordError,
    invalid_utf8,
)
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError

_MAX_FIELD_CHARS = 2 * MAX_RECORD_BYTES
_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def read_csv(file: BinaryIO, path: str, settings: CorpusSettings) -> Iterator[Record]:
    """Reads documents from a CSV file with a header row.

    Args:
        file: The open file.
        path: Its path, for messages.
        settings: Names of the columns, labels and delimiter.

    Yields:
        A document or a bad record for each record; blank lines are no records.

    Raises:
        JobError: If the header cannot be read or lacks a column.
    """
    csv.field_size_limit(max(_MAX_FIELD_CHARS, csv.field_size_limit()))
    lines = _Lines(file)
    rows = csv.reader(lines, delimiter=settings.delimiter, strict=True)
    header = _read_header(lines, rows, path)
    if header is None:
        return
    pick = _column_picker(header, path, settings)
    width = len(header)
    builder = DocumentBuilder(path, settings)
    while True:
        line = lines.start()
        try:
            row = next(rows)
            if len(row) != width:
                if not row or (len(row) == 1 and not row[0].strip()):
                    continue
                raise _StructureError(f"wrong number of columns: {len(row)}, the header has {width}")
            lines.check_encoding()
            yield builder.document(line, *pick(row))
        except StopIteration:
            return
        except (csv.Error, _StructureError) as error:
            # Before the quotes are known to be right, only the first line is known to belong to this record.
            raw = lines.give_back_all_but_first()
            yield builder.bad(line, _structure_reason(error), raw)
        except RecordError as error:
            yield builder.bad(line, str(error), lines.raw())


class _StructureError(Exception):
    """The record has another shape than the header."""


class _Lines:
    """Decoded physical lines of a file, which remembers those of the current record and can take them back."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = iter(file.readline, b"")
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
        line = self._returned.pop() if self._returned else next(self._file)
        self._taken.append(line)
        self._size += len(line)
        if b"\0" in line:
            # Python 3.10's csv module stops at a NUL, later ones read it; here the record as a whole is bad.
            self._broken = True
            return line.replace(b"\0", b" ").decode("utf-8", "surrogateescape")
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._broken = True
            return line.decode("utf-8", "surrogateescape")

    def start(self) -> int:
        """Starts a record and returns the number of its first line, from 1."""
        self._line += len(self._taken)
        self._taken.clear()
        self._size = 0
        self._broken = False
        return self._line

    def raw(self) -> bytes:
        """The bytes of the current record."""
        return b"".join(self._taken)

    def check_encoding(self) -> None:
        """Raises RecordError if the record is no UTF-8 or has a NUL."""
        if self._broken:
            raise _encoding_error(self.raw())

    def give_back_all_but_first(self) -> bytes:
        """Returns the first line, and has all others read again."""
        self._returned.extend(reversed(self._taken[1:]))
        del self._taken[1:]
        return self._taken[0]

    def skip_bom(self) -> bytes:
        """Drops the UTF-8 byte order mark at the start of the file and returns the first line."""
        first = next(self._file, b"")
        if first:
            first = first.removeprefix(_BOM)
            self._returned.append(first)
        return first


def _encoding_error(raw: bytes) -> RecordError:
    position = raw.find(b"\0")
    return RecordError(f"NUL byte: at byte {position} of the record") if position >= 0 else invalid_utf8(raw)


def _structure_reason(error: Exception) -> str:
    message = str(error)
    if isinstance(error, _StructureError):
        return message
    if "unexpected end of data" in message:
        return "quote never closed"
    if "expected after" in message:
        return "text after a closing quote: a quote within a quoted field is written twice"
    if "new-line character" in message:
        return "carriage return in an unquoted field"
    if "field limit" in message:
        return f"field too long: more than {_MAX_FIELD_CHARS} characters"
    return f"broken CSV: {message}"


def _read_header(lines: _Lines, rows: Iterator[list[str]], path: str) -> list[str] | None:
    """Returns the names of the columns, or None for a file without any line."""
    first = lines.skip_bom()
    if first.startswith(_UTF16_BOMS):
        raise JobError(
            "A corpus file is not UTF-8.",
            where=f"{path}, line 1",
            found="a UTF-16 byte order mark",
            expected="UTF-8, with or without a byte order mark",
            fix=f"Convert it: iconv -f UTF-16 -t UTF-8 {path} > new.csv",
        )
    header: list[str] = []
    while not any(name.strip() for name in header):
        line = lines.start()
        try:
            header = next(rows)
            lines.check_encoding()
        except StopIteration:
            return None
        except (csv.Error, RecordError) as error:
            raw = lines.raw()
            reason = str(error) if isinstance(error, RecordError) else _structure_reason(error)
            raise JobError(
                "The header row of a CSV file cannot be read.",
                where=f"{path}, line {line}",
                found=f"{reason}; the line starts with {raw[:80]!r}",
                expected="a first row with the names of the columns, in UTF-8, its line ended by \\n or \\r\\n",
                fix="Repair the row, or set corpus.format to what the file is.",
            ) from None
    return header


def _column_picker(
    header: list[str], path: str, settings: CorpusSettings
) -> Callable[[list[str]], tuple[str | None, str | None, str | None, str | None]]:
    """Returns what takes (text, label, source, id) out of a row."""
    columns = [
        None if name is None else _column(key, name, header, path)
        for key, name in (
            ("text", settings.text),
            ("label", settings.label),
            ("source", settings.source),
            ("id", settings.id),
        )
    ]
    text, label, source, identity = columns

    def pick(row: list[str]) -> tuple[str | None, str | None, str | None, str | None]:
        return (
            None if text is None else row[text],
            None if label is None else row[label],
            None if source is None else row[source],
            None if identity is None else row[identity],
        )

    return pick


def _column(key: str, name: str, header: list[str], path: str) -> int:
    found = header.count(name)
    if found == 1:
        return header.index(name)
    columns = ", ".join(repr(column) for column in header)
    near = difflib.get_close_matches(name, header, n=1)
    if found:
        fix = "Give each column a name of its own."
    elif near:
        fix = f"Did you mean {near[0]!r}? Set corpus.{key} to it."
    else:
        fix = f"Set corpus.{key} to one of the columns; corpus.delimiter is what separates them."
    raise JobError(
        f"The column {name!r} (corpus.{key}) is {'there more than once' if found else 'missing'} in a CSV file.",
        where=f"{path}, header row",
        found=f"the columns {columns}",
        expected=f"one column {name!r}",
        fix=fix,
    )
