"""Parquet: reads only the needed columns, one row group at a time."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from components.corpus_example_gen.documents import EXCERPT_CHARS, ROLES, Part, Record, RecordError
from components.corpus_example_gen.inputs.files import open_file
from components.corpus_example_gen.readers.document_builder import DocumentBuilder
from components.corpus_example_gen.readers.header import column_index
from components.corpus_example_gen.readers.json_values import Label, label_texts, scalar_text
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
    names = [getattr(settings, role) for role in ROLES]
    for role, name in zip(ROLES, names, strict=True):
        if name is not None:
            column_index(role, name, parquet.schema_arrow.names, f"{part.path}, schema", of="Parquet")
    groups, before = _groups(parquet, part)
    builder = DocumentBuilder(part, settings, encoding, lambda: before)
    rows = _rows(parquet, groups, [name for name in names if name is not None], part.path)
    for number, row in enumerate(rows, 1):
        values = [None if name is None else row[name] for name in names]
        try:
            text = _text(values[0], encoding)
            label = _label(values[1], encoding, settings)
            scalars = [_scalar(value, role, encoding) for role, value in zip(ROLES[2:], values[2:], strict=True)]
            yield builder.document(number, text, label, *scalars)
        except RecordError as error:
            excerpt = json.dumps(row, ensure_ascii=False, default=_printable)[:EXCERPT_CHARS]
            yield builder.bad(number, str(error), excerpt.encode("utf-8", "backslashreplace"))


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


def _rows(parquet: pq.ParquetFile, groups: list[int], columns: list[str], path: str) -> Iterator[dict[str, Any]]:
    for group in groups:
        try:
            batches = parquet.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False)
            for batch in batches:
                lists = {name: _values(batch.column(name)) for name in columns}
                for values in zip(*lists.values(), strict=True):
                    yield dict(zip(lists, values, strict=True))
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
        is_list = isinstance(scalar, pa.ListScalar)
        return [_value(item) for item in scalar.values] if is_list else scalar.as_buffer().to_pybytes()
    except (ValueError, OverflowError) as error:
        return error


def _text(value: Any, encoding: TextEncoding) -> str | list[str] | None:
    if isinstance(value, list):
        return [text for item in value if isinstance(text := _scalar(item, "text", encoding), str)]
    return _scalar(value, "text", encoding)


def _label(value: Any, encoding: TextEncoding, settings: CorpusSettings) -> Label:
    if isinstance(value, list) and settings.kind.multi_label:
        return label_texts(_scalar(item, "label", encoding) for item in value)
    return _scalar(value, "label", encoding)


def _scalar(value: Any, role: str, encoding: TextEncoding) -> str | None:
    if role != "text" and isinstance(value, datetime.date | datetime.time | decimal.Decimal):
        return str(value)
    if isinstance(value, Exception):
        raise RecordError(f"{role} is out of range: {value}")
    return encoding.decode(value) if isinstance(value, bytes) else scalar_text(value, role)


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
