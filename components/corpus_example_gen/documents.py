"""What a reader yields: documents, and bad records with the reason in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from components.corpus_example_gen.settings import CorpusSettings

EXCERPT_CHARS = 200
MAX_DOCUMENT_BYTES = 64 << 20
"""No reader holds more than this of a record; a longer one is bad."""
ROLES = ("text", "label", "source", "id", "split", "weight")
"""What the columns of a record may stand for: keys of the settings, in the order of `DocumentBuilder.document`."""


class Part(NamedTuple):
    """A range of a file's bytes, read by one worker.

    Attributes:
        path: Path of the file.
        start: The part's records start at this byte or behind it.
        stop: And before this byte; None: up to the end of the file.
    """

    path: str
    start: int = 0
    stop: int | None = None


class Document(NamedTuple):
    """One document of the corpus: a text, or tokens with their tags.

    Attributes:
        segments: The text in segments, none of them blank; none in a tagged corpus.
        label: The class name, or None where the corpus has no labels or a document several.
        source: Where the document is from.
        id: The value of the id column, or a hash of the text or of the tokens.
        line: First line (or number) of the record, from 1, counted from where its part starts:
            `readers.lines_before` tells what comes before that.
        split: The split that the corpus gives it, or None where a hash decides.
        tokens: The tokens of a tagged corpus.
        tags: The tag of each token.
        labels: The class names of a document with any number of labels, each once, in the order of the class ids;
            None where the corpus has none such.
        weight: What the document counts in the loss of training, or None where all count alike.
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


class BadRecord(NamedTuple):
    r"""A record that is no document.

    Attributes:
        file: Path of the file.
        line: First line (or number) of the record in the file, from 1.
        reason: A category, or "category: details".
        record: The record's first 200 characters; bytes that its encoding does not allow as `\xNN`.
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
"""Reads a part of an open file under the settings."""


class RecordError(Exception):
    """Why one record is bad; a reader turns it into a `BadRecord`."""


def too_long() -> RecordError:
    """Says that a record is longer than a reader holds."""
    return RecordError(f"record too long: more than {MAX_DOCUMENT_BYTES >> 20} MiB")
