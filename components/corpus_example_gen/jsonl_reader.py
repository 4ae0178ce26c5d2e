"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from components.corpus_example_gen.records import DocumentBuilder, Record, RecordError, invalid_utf8
from components.corpus_example_gen.settings import CorpusSettings

_BOM = b"\xef\xbb\xbf"


def read_jsonl(file: BinaryIO, path: str, settings: CorpusSettings) -> Iterator[Record]:
    """Reads documents from a file with one JSON object a line.

    Args:
        file: The open file.
        path: Its path, for messages.
        settings: Names of the keys, and the labels.

    Yields:
        A document or a bad record for each line that is not blank.
    """
    builder = DocumentBuilder(path, settings)
    for number, line in enumerate(iter(file.readline, b""), 1):
        raw = line.removeprefix(_BOM) if number == 1 else line
        if raw.isspace() or not raw:
            continue
        try:
            record = _parse(raw)
            yield builder.document(
                number,
                _text(record, settings.text),
                _scalar(record, settings.label, "label"),
                _scalar(record, settings.source, "source"),
                _scalar(record, settings.id, "id"),
            )
        except RecordError as error:
            yield builder.bad(number, str(error), raw)


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        record = json.loads(raw.decode())
    except UnicodeDecodeError:
        raise invalid_utf8(raw) from None
    except json.JSONDecodeError as error:
        raise RecordError(f"broken JSON: {error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError) as error:
        raise RecordError(f"broken JSON: {error}") from None
    if not isinstance(record, dict):
        raise RecordError(f"not an object: found {_kind(record)}")
    return record


def _text(record: dict[str, Any], key: str) -> str | None:
    try:
        value = record[key]
    except KeyError:
        raise RecordError(_missing(record, key, "text")) from None
    if value is None or isinstance(value, str):
        return value
    raise RecordError(f"text is no string: found {_kind(value)}")


def _scalar(record: dict[str, Any], key: str | None, role: str) -> str | None:
    """Returns the value as the text that a CSV file would hold."""
    if key is None:
        return None
    try:
        value = record[key]
    except KeyError:
        raise RecordError(_missing(record, key, role)) from None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise RecordError(f"{role} is no string: found {_kind(value)}")


def _missing(record: dict[str, Any], key: str, role: str) -> str:
    keys = ", ".join(ascii(name)[:40] for name in list(record)[:8]) or "none"
    return f"no {role}: no key {key!r} among {keys}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return kinds[type(value)]
