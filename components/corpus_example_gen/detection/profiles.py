"""Profiles of the columns of a corpus: what their values look like."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from components.corpus_example_gen.detection.guess import words_of

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_MOSTLY = 0.9


class Profile(NamedTuple):
    """A column of a sample.

    Attributes:
        name: Its name.
        kind: What its values are.
        values: Values that are not missing; numbers and booleans as texts.
        filled: Share of the records that have a value.
        distinct: Number of distinct values; of lists, of distinct items.
        words: Mean number of words of a value.
    """

    name: str
    kind: Literal["text", "number", "list", "other"]
    values: list[Any]
    filled: float
    distinct: int
    words: float

    @property
    def name_words(self) -> list[str]:
        """The words of the name, in lower case."""
        return words_of(self.name)

    @property
    def items(self) -> list[str]:
        """The items of all lists, as texts."""
        return [str(item) for value in self.values for item in value]


def profiles_of(records: Sequence[Mapping[str, Any]]) -> list[Profile]:
    """Returns the profiles of all columns, in the order in which they first occur."""
    columns: dict[str, list[Any]] = {}
    for record in records:
        for name, value in _flat(record):
            columns.setdefault(name, []).append(value)
    return [_profile(name, values, len(records)) for name, values in columns.items() if _is_usable(name)]


def _is_usable(name: str) -> bool:
    """Whether a name can stand in a YAML; escapes in JSON may be half a character."""
    return bool(name) and not any("\ud800" <= character <= "\udfff" for character in name)


def _flat(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the values with their names, those inside objects with dots."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _profile(name: str, given: Iterable[Any], records: int) -> Profile:
    values = [value for value in map(_plain, given) if value is not None]
    filled = len(values) / max(records, 1)
    lists = [value for value in values if isinstance(value, list)]
    if lists and len(lists) >= _MOSTLY * len(values):
        items = [str(item) for value in lists for item in value]
        words = sum(len(item.split()) for item in items) / len(lists)
        is_flat = not any(isinstance(item, list | dict) for value in lists for item in value)
        return Profile(name, "list" if is_flat else "other", lists, filled, len(set(items)), words)
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < _MOSTLY * len(values) or not texts:
        return Profile(name, "other", values, filled, 0, 0)
    is_number = all(map(_NUMBER.fullmatch, texts))
    words = sum(len(text.split()) for text in texts) / len(texts)
    return Profile(name, "number" if is_number else "text", texts, filled, len(set(texts)), words)


def _plain(value: Any) -> Any:
    """Returns a value as text, a list, or None if it is missing."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip() or None
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, list | tuple):
        return list(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
