"""Converts the values of a JSON object to those of a document."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, cast

from components.corpus_example_gen.documents import RecordError
from components.corpus_example_gen.settings import CorpusSettings

Label = str | list[str] | None
"""The value of the label column: a text, or a list of labels."""

Picked = tuple[str | None, Label, str | None, str | None, str | None, str | None]


def require_object(value: Any) -> dict[str, Any]:
    """Returns the value.

    Raises:
        RecordError: If it is not an object.
    """
    if isinstance(value, dict):
        return value
    raise RecordError(f"not an object: found {_kind(value)}")


def pick(record: dict[str, Any], settings: CorpusSettings) -> Picked:
    """Returns the text, label, source, id, split and weight of an object.

    Raises:
        RecordError: If a key is missing or the type of its value is wrong.
    """
    label = record.get(settings.label or "")
    return (
        _value(record, settings.text, "text"),
        label_texts(label)
        if isinstance(label, list) and settings.kind.multi_label
        else _value(record, settings.label, "label"),
        _value(record, settings.source, "source"),
        _value(record, settings.id, "id"),
        _value(record, settings.split, "split"),
        _value(record, settings.weight, "weight"),
    )


def scalar_text(value: Any, role: str) -> str | None:
    """Returns a value as the text that a CSV file would hold; NaN and infinities are missing values, as None is.

    Raises:
        RecordError: If it is not a string, number, boolean or None; the text of a document must be a string or None.
    """
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, (bool, int, float)) and role != "text":
        return json.dumps(value)
    raise RecordError(f"{role} is not a string: found {_kind(value)}")


def label_texts(values: Iterable[Any]) -> list[str]:
    """Returns the labels of a list as texts.

    Raises:
        RecordError: If a label is not a string, number or boolean.
    """
    texts = [scalar_text(value, "label") for value in values]
    if None in texts:
        raise RecordError("no label: one in the list is null")
    return cast("list[str]", texts)


def _value(record: dict[str, Any], key: str | None, role: str) -> str | None:
    if key is None:
        return None
    if key in record:
        return scalar_text(record[key], role)
    keys = ", ".join(ascii(name)[:40] for name in list(record)[:8]) or "none"
    raise RecordError(f"no {role}: no key {key!r} among {keys}")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), f"a {type(value).__name__}")
