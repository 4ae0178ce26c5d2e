"""Converts the values of a JSON object to those of a document."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from components.corpus_example_gen.documents import ROLES, RecordError
from components.corpus_example_gen.readers.document_builder import join_columns, require_aligned
from components.corpus_example_gen.settings import CorpusSettings

Label = str | list[str] | None
"""The value of the label column: a text, or a list of labels."""

ABSENT = object()


def require_object(value: Any) -> dict[str, Any]:
    """Returns the value.

    Raises:
        RecordError: If it is not an object.
    """
    if isinstance(value, dict):
        return value
    raise RecordError(f"not an object: found {_kind(value)}")


def pick(record: dict[str, Any], settings: CorpusSettings) -> tuple[Any, ...]:
    """Returns the text, label, source, id, split and weight of an object.

    Raises:
        RecordError: If a key is missing or the type of its value is wrong.
    """
    text = _text(record, settings.text_columns)
    label = None if settings.label is None else _find(record, settings.label, "label")
    return text, label_value(label, settings), *_named(record, settings)


def pick_tagged(record: dict[str, Any], settings: CorpusSettings) -> tuple[Any, ...]:
    """Returns the tokens, tags, source, id, split and weight of an object, otherwise like `pick`."""
    tokens, tags = _find(record, settings.tokens, "tokens"), _find(record, str(settings.tag), "tags")
    return *require_aligned(*sentence(tokens, tags, settings.numbered)), *_named(record, settings)


def sentence(tokens: Any, tags: Any, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the tokens and tags of a sentence as texts, missing ones as empty texts.

    Raises:
        RecordError: If they are not lists of texts; a tag may also be the number of one of the names.
    """
    for role, value in (("tokens", tokens), ("tags", tags)):
        if not isinstance(value, list):
            raise RecordError(f"{role} is not a list: found {_kind(value)}")
    return [scalar_text(token, "token") or "" for token in tokens], [
        scalar_text(tag, "tag", names) or "" for tag in tags
    ]


def scalar_text(value: Any, role: str, names: Sequence[str] = ()) -> str | None:
    """Returns a value as the text that a CSV file would hold; NaN and infinities are missing values, as None is.

    Args:
        value: The value.
        role: Its role, for messages.
        names: Names that integers stand for, numbered from 0; empty if integers mean themselves.

    Raises:
        RecordError: If it is not a string, number, boolean or None; texts and tokens must be strings or None.
    """
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if names and type(value) is int:
        if not 0 <= value < len(names):
            raise RecordError(f"unknown {role}: {value}, the names are numbered from 0 to {len(names) - 1}")
        return names[value]
    if isinstance(value, bool) and str(value) in names:
        return str(value)
    if isinstance(value, (bool, int, float)) and role not in ("text", "token"):
        return json.dumps(value)
    raise RecordError(f"{role} is not a string: found {_kind(value)}")


def label_value(value: Any, settings: CorpusSettings) -> Label:
    """Returns the value of the label column: a text, or in a multi-label corpus also a list.

    Raises:
        RecordError: If its type is wrong.
    """
    if isinstance(value, list) and settings.kind.multi_label:
        return label_texts(value, settings.numbered)
    return scalar_text(value, "label", settings.numbered)


def label_texts(values: Iterable[Any], names: Sequence[str] = ()) -> list[str]:
    """Returns the labels of a list as texts; `names` as in `scalar_text`.

    Raises:
        RecordError: If a label is not a string, number or boolean.
    """
    texts = [scalar_text(value, "label", names) for value in values]
    if None in texts:
        raise RecordError("no label: one in the list is null")
    return cast("list[str]", texts)


def find_key(value: Any, name: str) -> Any:
    """Returns the value of a key, or `ABSENT`; a key with dots may lead into objects."""
    if not isinstance(value, dict):
        return ABSENT
    if name in value:
        return value[name]
    # Keys of the objects in between may have dots, too.
    ends = (match.start() for match in re.finditer(r"\.", name))
    found = (find_key(value[name[:end]], name[end + 1 :]) for end in ends if name[:end] in value)
    return next((inner for inner in found if inner is not ABSENT), ABSENT)


def _text(record: dict[str, Any], columns: Sequence[str]) -> str | Sequence[str] | None:
    """Returns the text; of several columns, all but one may be absent."""
    found = [find_key(record, column) for column in columns]
    if all(value is ABSENT for value in found):
        raise _absent(record, columns[0], "text")
    return join_columns([text_or_segments(None if value is ABSENT else value) for value in found])


def text_or_segments(value: Any) -> str | list[str] | None:
    """Returns a text, or the segments of a list of texts.

    Raises:
        RecordError: If it is neither.
    """
    if isinstance(value, list):
        return [text for item in value if (text := scalar_text(item, "text")) is not None]
    return scalar_text(value, "text")


def _named(record: dict[str, Any], settings: CorpusSettings) -> Iterator[str | None]:
    """Yields the source, id, split and weight."""
    for role in ROLES[2:]:
        key = getattr(settings, role)
        yield None if key is None else scalar_text(_find(record, key, role), role)


def _find(record: dict[str, Any], key: str, role: str) -> Any:
    value = find_key(record, key)
    if value is ABSENT:
        raise _absent(record, key, role)
    return value


def _absent(record: dict[str, Any], key: str, role: str) -> RecordError:
    keys = ", ".join(ascii(name)[:40] for name in list(record)[:8]) or "none"
    return RecordError(f"no {role}: no key {key!r} among {keys}")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), f"a {type(value).__name__}")
