"""Parquet: reads only the needed columns, one row group at a time."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from components.corpus_example_gen.documents import EXCERPT_CHARS, ROLES, Part, Record, RecordError
from components.corpus_example_gen.inputs.files import open_file
from components.corpus_example_gen.readers.document_builder import DocumentBuilder, join_columns, require_aligned
from components.corpus_example_gen.readers.header import column_index
from components.corpus_example_gen.readers.json_values import (
    ABSENT,
    find_key,
    label_value,
    scalar_text,
    sentence,
    text_or_segments,
)
from components.corpus_example_gen.readers.text_encoding import TextEncoding
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError

_BATCH_ROWS = 1_024


def read_parquet(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads the row groups that start within a part of a seekable file.

    Raises:
        JobError: If the file cannot be read or lacks a column.
    """
    encoding = TextEncoding("utf-8", settings.encoding_errors)
    parquet = _open(file, part.path)
    pick = _RowPicker(settings, encoding)
    for role, name in pick.columns:
        if not any(name == nested for nested in _nested(parquet.schema_arrow)):
            column_index(role, name, parquet.schema_arrow.names, f"{part.path}, schema", of="Parquet")
    groups, before = _groups(parquet, part)
    builder = DocumentBuilder(part, settings, encoding, lambda: before)
    build = builder.tagged if settings.kind.tokenized else builder.document
    rows = _rows(parquet, groups, [name for _, name in pick.columns], part.path)
    for number, row in enumerate(rows, 1):
        try:
            yield build(number, *pick(row))
        except RecordError as error:
            excerpt = json.dumps(row, ensure_ascii=False, default=_printable)[:EXCERPT_CHARS]
            yield builder.bad(number, str(error), excerpt.encode("utf-8", "backslashreplace"))


def read_all_columns(file: BinaryIO, path: str) -> Iterator[dict[str, Any]]:
    """Yields the rows of a file with all their columns.

    Raises:
        JobError: If the file cannot be read.
    """
    parquet = _open(file, path)
    yield from _rows(parquet, list(range(parquet.metadata.num_row_groups)), parquet.schema_arrow.names, path)


def rows_before(part: Part) -> int:
    """Returns the number of rows of the file before a part."""
    if part.start == 0:
        return 0
    with open_file(part.path) as file:
        return _groups(_open(file, part.path), part)[1]


def _open(file: BinaryIO, path: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise _fault(path, str(error)) from error


def _groups(parquet: pq.ParquetFile, part: Part) -> tuple[list[int], int]:
    """Returns the row groups whose first byte lies in the part, and the number of rows before them."""
    groups, before = [], 0
    for number in range(parquet.metadata.num_row_groups):
        group = parquet.metadata.row_group(number)
        column = group.column(0)
        start = min(filter(None, (column.dictionary_page_offset, column.data_page_offset)))
        if part.start <= start and (part.stop is None or start < part.stop):
            groups.append(number)
        elif not groups:
            before += group.num_rows
    return groups, before


def _nested(fields: Iterable[pa.Field], before: str = "") -> Iterator[str]:
    """Yields the names of the fields inside structs, with dots."""
    for field in fields:
        if before:
            yield before + field.name
        if pa.types.is_struct(field.type):
            inner = (field.type[number] for number in range(field.type.num_fields))
            yield from _nested(inner, f"{before}{field.name}.")


def _rows(parquet: pq.ParquetFile, groups: list[int], columns: list[str], path: str) -> Iterator[dict[str, Any]]:
    for group in groups:
        try:
            batches = parquet.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False)
            for batch in batches:
                names = batch.schema.names
                for values in zip(*(_values(batch.column(number)) for number in range(len(names))), strict=True):
                    yield dict(zip(names, values, strict=True))
        except (pa.ArrowException, OSError) as error:
            raise _fault(f"{path}, row group {group}", str(error)) from error


def _values(column: pa.Array) -> list[Any]:
    """Returns the values; strings that are not UTF-8, which Parquet does not check, as bytes."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):
        values = [_value(scalar) for scalar in column]
    return values


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        if isinstance(scalar, pa.StructScalar):
            return {name: _value(item) for name, item in scalar.items()}
        is_list = isinstance(scalar, pa.ListScalar)
        return [_value(item) for item in scalar.values] if is_list else scalar.as_buffer().to_pybytes()
    except (ValueError, OverflowError) as error:
        return error


class _RowPicker:
    """Extracts the values of a document from a row; `columns` are their names, each with its role."""

    def __init__(self, settings: CorpusSettings, encoding: TextEncoding) -> None:
        self._settings, self._kind, self._encoding = settings, settings.kind, encoding
        roles: list[tuple[str, str | None]] = [(role, getattr(settings, role)) for role in ROLES[2:]]
        if self._kind.tokenized:
            wanted = [("tokens", settings.tokens), ("tag", settings.tag), *roles]
        else:
            wanted = [*(("text", name) for name in settings.text_columns), ("label", settings.label), *roles]
        self.columns = [(role, name) for role, name in wanted if name is not None]

    def __call__(self, row: dict[str, Any]) -> tuple[Any, ...]:
        """Returns the values of the roles.

        Raises:
            RecordError: If the type of a value is wrong.
        """
        settings, value = self._settings, self._value
        named = (scalar_text(value(row, getattr(settings, role), role), role) for role in ROLES[2:])
        if self._kind.tokenized:
            lists = (value(row, settings.tokens, "tokens"), value(row, settings.tag, "tags"))
            return *require_aligned(*sentence(*lists, settings.numbered)), *named
        text = join_columns([text_or_segments(value(row, name, "text")) for name in settings.text_columns])
        return text, label_value(value(row, settings.label, "label"), settings), *named

    def _value(self, row: dict[str, Any], name: str | None, role: str) -> Any:
        """Returns a value as JSON has it."""
        found = None if name is None else find_key(row, name)
        return None if found is ABSENT else self._plain(found, role)

    def _plain(self, value: Any, role: str) -> Any:
        if isinstance(value, list):
            return [self._plain(item, role) for item in value]
        if role != "text" and isinstance(value, datetime.date | datetime.time | decimal.Decimal):
            return str(value)
        if isinstance(value, Exception):
            raise RecordError(f"{role} is out of range: {value}")
        return self._encoding.decode(value) if isinstance(value, bytes) else value


def _printable(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _fault(where: str, found: str) -> JobError:
    return JobError(
        "A Parquet file cannot be read.",
        where=where,
        found=found,
        expected="a complete Parquet file",
        fix="Write the file again, or set corpus.format to its format.",
    )
