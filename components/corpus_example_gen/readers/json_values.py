"""Values of a JSON object as a document's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from components.corpus_example_gen.documents import RecordError
from components.corpus_example_gen.settings import CorpusSettings

Label = str | list[str] | None
"""The value of the label column: a text, or where a document has several labels a list of them."""

Picked = tuple[str | None, Label, str | None, str | None, str | None, str | None]


def require_object(value: Any) -> dict[str, Any]:
    """Returns the value.

    Raises:
        RecordError: If it is no object.
    """
    if isinstance(value, dict):
        return value
    raise RecordError(f"not an object: found {_kind(value)}")


def pick(record: dict[str, Any], settings: CorpusSettings) -> Picked:
    """Returns text, label, source, id, split and weight of an object.

    Raises:
        RecordError: If a key is missing, or its value is neither text nor a number or a boolean in its place.
    """
    return (
        _text(record, settings.text),
        None if settings.label is None else _label(record, settings.label, settings),
        None if settings.source is None else _scalar(record, settings.source, "source"),
        None if settings.id is None else _scalar(record, settings.id, "id"),
        None if settings.split is None else _scalar(record, settings.split, "split"),
        None if settings.weight is None else _scalar(record, settings.weight, "weight"),
    )


def scalar_text(value: Any, role: str) -> str | None:
    """Returns a value as the text that a CSV file would hold.

    Raises:
        RecordError: If it is neither text nor a number or a boolean.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise RecordError(f"{role} is no string: found {_kind(value)}")


def label_texts(values: Iterable[Any]) -> list[str]:
    """Returns the labels of a list as texts.

    Raises:
        RecordError: If one of them is neither text nor a number or a boolean.
    """
    texts = [scalar_text(value, "label") for value in values]
    if None in texts:
        raise RecordError("no label: one of the list is null")
    return cast("list[str]", texts)


def _label(record: dict[str, Any], key: str, settings: CorpusSettings) -> Label:
    if settings.multi_label and isinstance(record.get(key), list):
        return label_texts(record[key])
    return _scalar(record, key, "label")


def _text(record: dict[str, Any], key: str) -> str | None:
    try:
        value = record[key]
    except KeyError:
        raise RecordError(_missing(record, key, "text")) from None
    if value is None or isinstance(value, str):
        return value
    raise RecordError(f"text is no string: found {_kind(value)}")


def _scalar(record: dict[str, Any], key: str, role: str) -> str | None:
    try:
        value = record[key]
    except KeyError:
        raise RecordError(_missing(record, key, role)) from None
    return scalar_text(value, role)


def _missing(record: dict[str, Any], key: str, role: str) -> str:
    keys = ", ".join(ascii(name)[:40] for name in list(record)[:8]) or "none"
    return f"no {role}: no key {key!r} among {keys}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), f"a {type(value).__name__}")
