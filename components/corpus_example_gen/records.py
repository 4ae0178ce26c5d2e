"""What a reader yields: documents, and bad records with the reason in words."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from components.corpus_example_gen.settings import CorpusSettings

EXCERPT_CHARS = 200
MAX_RECORD_BYTES = 8 << 20
"""How far a quoted field is followed over line ends."""


class Document(NamedTuple):
    """One document of the corpus.

    Attributes:
        text: The text, never blank.
        label: The class name, or None where the corpus has no labels.
        source: Where the document is from.
        id: The value of the id column, or a hash of the text.
        line: First line of the record in its file, from 1.
    """

    text: str
    label: str | None
    source: str
    id: str
    line: int


class BadRecord(NamedTuple):
    r"""A record that is no document.

    Attributes:
        file: Path of the file.
        line: First line of the record in the file, from 1.
        reason: A category, or "category: details".
        record: The record's first 200 characters; bytes that are not UTF-8 as `\xNN`.
    """

    file: str
    line: int
    reason: str
    record: str

    @property
    def category(self) -> str:
        """The reason without its details."""
        return self.reason.partition(":")[0]


Record = Document | BadRecord
Reader = Callable[[BinaryIO, str, CorpusSettings], Iterator[Record]]
"""Reads an open file, whose path is given for messages, under the settings."""


class RecordError(Exception):
    """Why one record is bad; a reader turns it into a `BadRecord`."""


class DocumentBuilder:
    """Checks the values of a record and makes a document of them.

    Args:
        path: Path of the file.
        settings: Names of the columns and the labels.
    """

    def __init__(self, path: str, settings: CorpusSettings) -> None:
        self._path = path
        self._file_name = posixpath.basename(path.replace("\\", "/"))
        self._settings = settings
        self._labels = settings.labels

    def document(
        self, line: int, text: str | None, label: str | None, source: str | None, identity: str | None
    ) -> Document:
        """Returns the document.

        Raises:
            RecordError: If a value is missing or not allowed.
        """
        if not text or text.isspace():
            raise RecordError("no text")
        settings = self._settings
        name = None if settings.label is None else self._class_name(label)
        if settings.source is None:
            source = self._file_name
        elif not source:
            raise RecordError(f"no source: {settings.source!r} is empty")
        try:
            encoded = text.encode()
            if settings.id is None:
                identity = hashlib.blake2b(encoded, digest_size=16).hexdigest()
            elif not identity:
                raise RecordError(f"no id: {settings.id!r} is empty")
            else:
                identity.encode()
            source.encode()
        except UnicodeEncodeError as error:
            raise _surrogate(error) from None
        return Document(text, name, source, identity, line)

    def bad(self, line: int, reason: str, raw: bytes) -> BadRecord:
        """Returns the bad record with an excerpt of its bytes."""
        excerpt = raw[: 4 * EXCERPT_CHARS].decode("utf-8", "backslashreplace").rstrip("\r\n")[:EXCERPT_CHARS]
        return BadRecord(self._path, line, reason, excerpt)

    def _class_name(self, label: str | None) -> str:
        label = label.strip() if label else ""
        if not label:
            raise RecordError(f"no label: {self._settings.label!r} is empty")
        if self._labels is None:
            try:
                label.encode()
            except UnicodeEncodeError as error:
                raise _surrogate(error) from None
            return label
        name = self._labels.get(label)
        if name is None:
            allowed = ", ".join(repr(raw) for raw in self._labels)
            raise RecordError(f"unknown label: {_short(label)}, allowed are {allowed}")
        return name


def invalid_utf8(raw: bytes) -> RecordError:
    """Says where the bytes of a record stop being UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return RecordError(f"invalid UTF-8: 0x{raw[error.start]:02x} at byte {error.start} of the record")
    return RecordError("invalid UTF-8")


def _surrogate(error: UnicodeEncodeError) -> RecordError:
    code = ord(error.object[error.start])
    return RecordError(f"lone surrogate: \\u{code:04x} at character {error.start} is half of a UTF-16 pair")


def _short(value: str, limit: int = 40) -> str:
    return ascii(value) if len(value) <= limit else ascii(value[:limit]) + "..."
