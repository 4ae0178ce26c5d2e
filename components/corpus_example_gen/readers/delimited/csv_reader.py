"""CSV as in RFC 4180, except that a stray quote costs one line and never swallows the following lines; TSV by lines.

A file is one part: only a reader from its start knows whether a line end is within a quoted field.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from components.corpus_example_gen.documents import ROLES, Part, Record, RecordError
from components.corpus_example_gen.readers.delimited.continued_lines import ContinuedLines
from components.corpus_example_gen.readers.delimited.record_lines import MAX_RECORD_BYTES, RecordLines
from components.corpus_example_gen.readers.document_builder import DocumentBuilder, join_columns
from components.corpus_example_gen.readers.header import column_index
from components.corpus_example_gen.readers.lines import Lines
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError

_MAX_FIELD_CHARS = 2 * MAX_RECORD_BYTES

Picker = Callable[[list[str]], list[Any]]


def read_csv(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads a CSV or TSV file; skips blank lines.

    Raises:
        JobError: If the header cannot be read or lacks a column.
    """
    csv.field_size_limit(max(_MAX_FIELD_CHARS, csv.field_size_limit()))
    physical = Lines(file, part, settings)
    lines = RecordLines(physical, settings.escape if settings.format == "tsv" else None)
    dialect = _dialect(settings)
    rows = csv.reader(lines, strict=True, **dialect)
    header = list(settings.header) if isinstance(settings.header, tuple) else _first_row(lines, rows, part.path)
    if header is None:
        return
    if settings.header is False:
        header = [str(number) for number in range(1, len(header) + 1)]
        lines.give_back()
    pick = _column_picker(header, part.path, settings)
    has_blanks = dialect["quoting"] == csv.QUOTE_MINIMAL and any(name.startswith(" ") for name in header)
    width, source = len(header), "the header has" if settings.header is True else "expected"
    builder = DocumentBuilder(part, settings, physical.encoding)
    continued = ContinuedLines(lines, dialect)
    while True:
        line = lines.start()
        try:
            ending = continued.ending(line)
            if ending and not ending.is_blank and not _fits(ending.columns, width, settings):
                raise _StructureError(f"wrong number of columns: {ending.columns}, {source} {width}")
            row = next(rows)
            if len(row) != width:
                if not row or (len(row) == 1 and not row[0].strip()):
                    continue
                if not _fits(len(row), width, settings):
                    raise _StructureError(f"wrong number of columns: {len(row)}, {source} {width}")
                row += [""] * (width - len(row))
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
            continued.failed(line, lines.taken)
            lines.keep_first()
            yield builder.bad(line, _structure_reason(error), lines.raw())
        except RecordError as error:
            yield builder.bad(line, str(error), lines.raw())


def read_rows(file: BinaryIO, path: str, settings: CorpusSettings) -> Iterator[list[str] | None]:
    """Yields all rows that are not blank, the header's too, whatever their width; None for records that are no rows."""
    csv.field_size_limit(max(_MAX_FIELD_CHARS, csv.field_size_limit()))
    physical = Lines(file, Part(path), settings)
    lines = RecordLines(physical, settings.escape if settings.format == "tsv" else None)
    dialect = _dialect(settings)
    rows = csv.reader(lines, strict=True, **dialect)
    continued = ContinuedLines(lines, dialect)
    while True:
        line = lines.start()
        try:
            continued.ending(line)
            row = next(rows)
            lines.check()
            if any(field.strip() for field in row):
                yield row
        except StopIteration:
            return
        except (csv.Error, RecordError) as error:
            if isinstance(error, csv.Error):
                continued.failed(line, lines.taken)
                lines.keep_first()
            yield None


class _StructureError(Exception):
    """The record's shape differs from the header's."""


def _fits(columns: int, width: int, settings: CorpusSettings) -> bool:
    return columns == width or (settings.short_rows and columns < width)


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


def _first_row(lines: RecordLines, rows: Iterator[list[str]], path: str) -> list[str] | None:
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
