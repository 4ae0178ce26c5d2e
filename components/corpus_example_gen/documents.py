"""What readers yield: documents, and bad records with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from components.corpus_example_gen.settings import CorpusSettings

EXCERPT_CHARS = 200
MAX_DOCUMENT_BYTES = 64 << 20
"""Limit of a record in memory; a longer record is bad."""
MAX_SENTENCE_BYTES = 8 << 20
"""Limit of a sentence in columns, whose cells take many times the memory of its text."""
ROLES = ("text", "label", "source", "id", "split", "weight")
"""Settings keys that name a record's columns, in the order of `DocumentBuilder.document`."""


class Part(NamedTuple):
    """The records of a file that start from byte `start` up to, but not including, byte `stop` (None: the end)."""

    path: str
    start: int = 0
    stop: int | None = None


class Document(NamedTuple):
    """One document of the corpus: a text, or tokens with their tags.

    Attributes:
        segments: Segments of the text, none of them blank; empty in a tagged corpus.
        label: The class name; None without labels and in a multi-label corpus.
        source: The document's origin.
        id: Value of the id column, or a hash of the text or tokens.
        line: First line (or number) of the record within its part, from 1; see `formats.lines_before`.
        split: The split given by a column; None if a hash or the file decides.
        tokens: The tokens in a tagged corpus.
        tags: The tag of each token.
        labels: Distinct class names in the order of the class ids; None unless the corpus is multi-label.
        weight: Weight in the training loss; None if the corpus has no weights.
        lines: Number of the file's lines that the record spans, where it is read by line.
    """

    segments: tuple[str, ...]
    label: str | None
    source: str
    id: str
    line: int
    split: str | None = None
    tokens: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    weight: float | None = None
    lines: int = 1


class BadRecord(NamedTuple):
    r"""A record that is not a document.

    Attributes:
        file: Path of the file.
        line: First line (or number) of the record in the file, from 1.
        reason: A category, or "category: details".
        record: The record's first 200 characters; invalid bytes as `\xNN`.
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
ReadPart = Callable[[BinaryIO, Part, CorpusSettings], Iterator[Record]]
"""Reads the documents and bad records of a part of an open file; raises JobError if the whole file is unusable."""


class RecordError(Exception):
    """The reason why one record is bad; readers turn it into a `BadRecord`."""


def too_long(limit: int | None = None) -> RecordError:
    """The error of a record longer than a limit, by default `MAX_DOCUMENT_BYTES`."""
    return RecordError(f"record too long: more than {(limit or MAX_DOCUMENT_BYTES) >> 20} MiB")
