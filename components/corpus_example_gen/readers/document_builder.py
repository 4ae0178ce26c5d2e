"""Checks the values of a record and builds a document from them."""

from __future__ import annotations

import functools
import hashlib
import itertools
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from components.corpus_example_gen.documents import EXCERPT_CHARS, BadRecord, Document, Part, RecordError
from components.corpus_example_gen.readers.text_encoding import TextEncoding
from components.corpus_example_gen.settings import CorpusSettings

_BOUNDARIES = {
    "line": re.compile(r"\r\n|\r|\n"),
    # Without the lookahead, \r\n could match as two line ends.
    "paragraph": re.compile(r"(?:\r\n|\r(?!\n)|\n)(?:[^\S\r\n]*(?:\r\n|\r(?!\n)|\n))+"),
}

_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MAX_WEIGHT = 3.4e38


def join_columns(values: Sequence[str | Sequence[str] | None]) -> str | Sequence[str] | None:
    """Returns the text of the columns of a record: their values joined by line ends, or segments if one is a list."""
    if len(values) == 1:
        return values[0]
    if not all(value is None or isinstance(value, str) for value in values):
        return [piece for value in values for piece in ((value,) if isinstance(value, str) else value or ())]
    return "\n".join(cast("str", value) for value in values if value)


def require_aligned(tokens: list[str], tags: list[str]) -> tuple[list[str], list[str]]:
    """Returns the tokens of a sentence and their tags.

    Raises:
        RecordError: If one is missing.
    """
    for role, values in (("token", tokens), ("tag", tags)):
        if not all(map(str.strip, values)):
            number, value = next((number, value) for number, value in enumerate(values, 1) if not value.strip())
            found = "white space, " + " ".join(f"U+{ord(each):04X}" for each in value[:8]) if value else "empty"
            raise RecordError(f"no {role}: the value is {found} at token {number} of the sentence")
    if len(tokens) != len(tags):
        raise RecordError(f"different lengths: {len(tokens)} tokens, {len(tags)} tags")
    if not tokens:
        raise RecordError("no tokens")
    return tokens, tags


class DocumentBuilder:
    """Builds the documents and the bad records of one part of a file.

    Args:
        part: The part.
        settings: Names of the columns, labels and splits.
        encoding: The file's encoding, for excerpts; UTF-8 by default.
        lines_before: Counts the lines or records of the file before the part; called on the first bad record.
    """

    def __init__(
        self,
        part: Part,
        settings: CorpusSettings,
        encoding: TextEncoding | None = None,
        lines_before: Callable[[], int] = lambda: 0,
    ) -> None:
        self._path = part.path
        *_, self._folder, self._file_name = ("", *part.path.replace("\\", "/").split("/"))
        # The files of several folders may have the same names.
        self._source = posixpath.join(self._folder, self._file_name) if settings.label_is_folder else self._file_name
        self._settings, self._kind = settings, settings.kind
        self._encoding = encoding or TextEncoding("utf-8", "strict")
        self._count_lines_before = lines_before
        self._labels = settings.labels
        self._class_ids = {name: number for number, name in enumerate(settings.class_names or ())}
        self._separator = settings.label_separator or ","
        self._splits = settings.split_names
        self._boundary = _BOUNDARIES.get(settings.segment)

    @functools.cached_property
    def _lines_before(self) -> int:
        return self._count_lines_before()

    def document(
        self,
        line: int,
        text: str | Sequence[str] | None,
        label: str | Sequence[str] | None = None,
        source: str | None = None,
        identity: str | None = None,
        split: str | None = None,
        weight: str | None = None,
    ) -> Document:
        """Returns the document of the values of the `ROLES`; `line` counts from the start of the part.

        Raises:
            RecordError: If a value is missing or invalid.
        """
        segments: Sequence[str] = (text,) if isinstance(text, str) else text or ()
        if not isinstance(text, str):
            text = "\n".join(segments)
        if not text or text.isspace():
            raise RecordError("no text")
        settings = self._settings
        name = labels = None
        if settings.label_is_folder:
            label = self._folder
        if self._kind.multi_label:
            labels = self._class_names(label)
        elif settings.is_labelled:
            name = self._class_name(cast("str | None", label))
        given = None if settings.split is None else self._split(split)
        if self._boundary or len(segments) > 1:
            pieces = itertools.chain.from_iterable(map(self._boundary.split, segments)) if self._boundary else segments
            segments = [piece for piece in pieces if piece and not piece.isspace()]
        source, identity = self._origin(source, identity, _encode(text, "text"))
        number = self._weight(weight)
        return Document(tuple(segments), name, source, identity, line, given, labels=labels, weight=number)

    def tagged(
        self,
        line: int,
        tokens: Sequence[str],
        tags: Sequence[str],
        source: str | None = None,
        identity: str | None = None,
        split: str | None = None,
        weight: str | None = None,
    ) -> Document:
        """Returns a document of aligned, non-empty tokens and tags, otherwise like `document`.

        Raises:
            RecordError: If a value is missing or invalid.
        """
        _encode("\n".join(tags), "tags")
        given = None if self._settings.split is None else self._split(split)
        source, identity = self._origin(source, identity, _encode("\n".join(tokens), "tokens"))
        number = self._weight(weight)
        return Document((), None, source, identity, line, given, tuple(tokens), tuple(tags), weight=number)

    def bad(self, line: int, reason: str, raw: bytes) -> BadRecord:
        """Returns the bad record with an excerpt of its bytes."""
        excerpt = self._encoding.excerpt(raw, EXCERPT_CHARS)
        return BadRecord(self._path, line + self._lines_before, reason, excerpt)

    def _origin(self, source: str | None, identity: str | None, encoded: bytes) -> tuple[str, str]:
        """Returns the source and the id."""
        settings = self._settings
        if settings.source is None:
            source = self._source
        elif not source:
            raise RecordError(f"no source: {settings.source!r} is empty")
        else:
            _encode(source, "source")
        if settings.id is None:
            identity = hashlib.blake2b(encoded, digest_size=16).hexdigest()
        elif not identity:
            raise RecordError(f"no id: {settings.id!r} is empty")
        else:
            _encode(identity, "id")
        return source, identity

    def _class_name(self, label: str | None) -> str:
        label = label.strip() if label else ""
        if not label:
            part = "a label in " if self._kind.multi_label else ""
            raise RecordError(f"no label: {part}{self._settings.label or '__label__'!r} is empty")
        if self._labels is None:
            _encode(label, "label")
            return label
        name = self._labels.get(label)
        if name is None:
            raise _unknown("label", label, self._labels)
        return name

    def _class_names(self, given: str | Sequence[str] | None) -> tuple[str, ...]:
        """Returns the distinct classes in the order of their ids, or sorted by name if any label is allowed."""
        if isinstance(given, str):
            given = given.split(self._separator) if given.strip() else ()
        names = {self._class_name(value) for value in given or ()}
        return tuple(sorted(names, key=self._class_ids.__getitem__ if self._class_ids else None))

    def _weight(self, value: str | None) -> float | None:
        if self._settings.weight is None:
            return None
        found = value.strip() if value else ""
        if not found:
            raise RecordError(f"no weight: {self._settings.weight!r} is empty")
        # Weights are written as float32, in which greater numbers are infinite.
        if not _NUMBER.fullmatch(found) or not float(found) <= _MAX_WEIGHT:
            raise RecordError(f"bad weight: {_short(found)} is not a finite number of 0 or more")
        return float(found)

    def _split(self, value: str | None) -> str:
        value = value.strip() if value else ""
        if not value:
            raise RecordError(f"no split: {self._settings.split!r} is empty")
        name = self._splits.get(value)
        if name is None:
            raise _unknown("split", value, self._splits)
        return name


def _encode(value: str, role: str) -> bytes:
    """Returns the value in UTF-8; rejects NUL, where many programs end a string."""
    try:
        encoded = value.encode()
    except UnicodeEncodeError as error:
        at = error.start
        reason = f"lone surrogate: \\u{ord(value[at]):04x} at character {at} is half of a UTF-16 pair"
        raise RecordError(reason) from None
    if b"\0" in encoded:
        raise RecordError(f"NUL byte: at character {value.index(chr(0))} of the {role}")
    return encoded


def _unknown(role: str, value: str, allowed: Iterable[str]) -> RecordError:
    return RecordError(f"unknown {role}: {_short(value)}, allowed are {', '.join(map(repr, allowed))}")


def _short(value: str, limit: int = 40) -> str:
    return ascii(value) if len(value) <= limit else ascii(value[:limit]) + "..."
