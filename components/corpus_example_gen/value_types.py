"""Types of the corpus settings, each of which validates one key by itself."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from components.corpus_example_gen.inputs import patterns

SPAN, VERSION, DATE = "{SPAN", "{VERSION", ("{YYYY}", "{MM}", "{DD}")
"""Prefixes of the placeholders of a span; numbers may have a width, e.g. {SPAN:3}."""

_SPLIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
GivenPaths = str | tuple[str, ...]
"""One path, or several in order."""
_NOT_FOR_FILES = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "iso2022_kr")


def _split_name(name: str) -> str:
    if not _SPLIT_NAME.fullmatch(name):
        raise ValueError(f"the name of a split must consist of letters, digits, - and _, found {name!r}")
    return name


def _text(value: Any) -> Any:
    """Converts a YAML scalar to its text in a corpus: 1 to "1", true to "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _mapping(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        value = [(item, item) for item in value]
    elif isinstance(value, Mapping):
        value = list(value.items())
    else:
        return value
    pairs = [(_text(raw), _text(name)) for raw, name in value]
    if any(isinstance(raw, list | dict) for raw, _ in pairs):
        raise ValueError("each value must be text")
    raws = [raw for raw, _ in pairs]
    repeated = sorted({repr(raw) for raw in raws if raws.count(raw) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is listed more than once")
    return dict(pairs)


def _labels(labels: dict[str, str]) -> dict[str, str]:
    if any(not text.strip() for pair in labels.items() for text in pair):
        raise ValueError("a label is empty")
    if len(set(labels.values())) < 2:
        raise ValueError(f"expected at least two classes, found {', '.join(set(labels.values())) or 'none'}")
    return labels


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    for number, tag in enumerate(tags):
        if not tag.strip() or tag in tags[:number]:
            raise ValueError(f"each tag must be distinct and not empty, found {tag!r}")
    if len(tags) < 2:
        raise ValueError(f"expected at least two tags, found {', '.join(tags) or 'none'}")
    return tags


def split_paths(path: GivenPaths | dict[str, GivenPaths]) -> list[tuple[str | None, str]]:
    """Returns every path of a corpus with its split, None if its documents go to all splits."""
    by_split: dict[Any, GivenPaths] = path if isinstance(path, dict) else {None: path}
    return [(split, one) for split, given in by_split.items() for one in ([given] if isinstance(given, str) else given)]


def _path(path: GivenPaths | dict[str, GivenPaths]) -> GivenPaths | dict[str, GivenPaths]:
    paths = [one for _, one in split_paths(path)]
    if not paths:
        raise ValueError("no split has a path")
    if len({tuple(mark for mark in (SPAN, VERSION, *DATE) if mark in one) for one in paths}) > 1:
        raise ValueError("all paths must have the same placeholders: {SPAN}, {VERSION}, {YYYY}{MM}{DD}")
    for one in paths:
        dates = [mark for mark in DATE if mark in one]
        if dates and len(dates) < len(DATE):
            raise ValueError(f"a date in the path needs {', '.join(DATE)}, found {', '.join(dates)}")
        if dates and SPAN in one:
            raise ValueError("a path cannot have both {SPAN} and {YYYY}{MM}{DD}")
        if VERSION in one and not dates and SPAN not in one:
            raise ValueError("{VERSION} in the path needs {SPAN} or {YYYY}{MM}{DD}")
        if invalid := patterns.invalid_number(one):
            found, expected = invalid
            raise ValueError(f"expected {expected}, found {found}")
    return path


def _delimiter(delimiter: str) -> str:
    if delimiter in '"\r\n\0':
        raise ValueError(f"{delimiter!r} cannot separate columns")
    return delimiter


def _encoding(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "\n".encode(encoding)
    except (LookupError, UnicodeError):
        raise ValueError(f"Python has no text encoding {encoding!r}") from None
    if name.replace("-", "_") in _NOT_FOR_FILES:
        raise ValueError(f"{encoding} is not an encoding of text files")
    # The byte order mark is removed from any UTF-8 file.
    return "utf-8" if name in ("utf-8-sig", "utf-8") else encoding


def _header(names: bool | tuple[str, ...]) -> bool | tuple[str, ...]:
    repeated = sorted({name for name in names if names.count(name) > 1}) if isinstance(names, tuple) else []
    if repeated or names == ():
        raise ValueError(f"each column needs a name of its own, found {', '.join(repeated) or 'no name'}")
    return names


def _columns(columns: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if isinstance(columns, tuple) and (not columns or len(set(columns)) < len(columns)):
        raise ValueError(f"expected distinct columns, found {list(columns)}")
    return columns


_INPUT = dict[str, str] | list[str | int | bool]

Name = Annotated[str, Field(min_length=1)]
Column = Annotated[Name, BeforeValidator(_text, json_schema_input_type=str | int)]
Columns = Annotated[Column | tuple[Column, ...], AfterValidator(_columns)]
Header = Annotated[bool | tuple[Column, ...], AfterValidator(_header)]
SplitName = Annotated[str, AfterValidator(_split_name)]
_Paths = Name | Annotated[tuple[Name, ...], Field(min_length=1)]
CorpusPath = Annotated[_Paths | dict[SplitName, _Paths], AfterValidator(_path)]
Labels = Annotated[dict[str, str], AfterValidator(_labels), BeforeValidator(_mapping, json_schema_input_type=_INPUT)]
SplitValues = Annotated[dict[str, SplitName], BeforeValidator(_mapping, json_schema_input_type=_INPUT)]
Tags = Annotated[
    tuple[str, ...],
    AfterValidator(_tags),
    BeforeValidator(
        lambda value: tuple(map(_text, value)) if isinstance(value, (list, tuple)) else value,
        json_schema_input_type=list[str | int | bool],
    ),
]
Delimiter = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_delimiter)]
Encoding = Annotated[str, Field(min_length=1), AfterValidator(_encoding)]
