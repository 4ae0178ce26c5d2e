"""Counts what the readers find in a corpus: documents, classes, lengths, duplicates and bad records."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

from components.corpus_example_gen.documents import BadRecord, Document, Record
from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings

RECORDS = 20_000
"""Records that a survey reads."""
_MORE = 10
"""How many times as many it reads to find a second class: files are often sorted by class."""
_CHARS = 32 << 20
_FILES = 2_000


@dataclasses.dataclass
class Survey:
    """What a corpus holds.

    Attributes:
        records: Number of records read.
        classes: Number of documents, or tokens, of each class or tag.
        lengths: Number of words or tokens of each document.
        duplicates: Number of documents with the content of an earlier one.
        bad: Number of bad records by reason without details.
        first_bad: The first bad record.
        spanning: Number of documents that span several lines of their file.
        is_complete: Whether these are all records of the corpus.
    """

    records: int = 0
    classes: Counter[str] = dataclasses.field(default_factory=Counter)
    lengths: list[int] = dataclasses.field(default_factory=list)
    duplicates: int = 0
    bad: Counter[str] = dataclasses.field(default_factory=Counter)
    first_bad: BadRecord | None = None
    spanning: int = 0
    is_complete: bool = True

    @property
    def documents(self) -> int:
        """The number of documents."""
        return len(self.lengths)

    @property
    def longest(self) -> int:
        """The length of the longest document."""
        return max(self.lengths, default=0)

    @property
    def median(self) -> float:
        """The median length."""
        return statistics.median(self.lengths) if self.lengths else 0

    @property
    def bad_share(self) -> float:
        """The share of records that are bad."""
        return sum(self.bad.values()) / self.records if self.records else 0


def survey(files: Sequence[str], settings: CorpusSettings, limit: int = RECORDS) -> Survey:
    """Reads the first records of each file, so many in all.

    Args:
        files: The files in order.
        settings: How to read them.
        limit: About the number of records to read.

    Raises:
        JobError: If a file cannot be read with the settings.
    """
    found = Survey()
    step = max(len(files) // _FILES, 1) if len(files) > _FILES else 1
    chosen = files[::step]
    found.is_complete = len(chosen) == len(files)
    seen: set[str] = set()
    size = 0
    needs_classes = settings.kind.target is not None
    for number, path in enumerate(chosen):
        # What earlier files have left is divided among the later ones.
        quota = max((limit - found.records) // (len(chosen) - number), 1)
        stop = found.records + quota
        for record in _records(path, settings):
            is_searching = needs_classes and len(found.classes) < 2
            most = stop + (_MORE - 1) * limit if is_searching and number == len(chosen) - 1 else stop
            if found.records >= most or size > _CHARS:
                found.is_complete = False
                break
            size += _add(found, record, seen)
    return found


def _records(path: str, settings: CorpusSettings) -> Iterator[Record]:
    return formats.read(formats.Part(path), settings)


def _add(found: Survey, record: Record, seen: set[str]) -> int:
    """Counts a record and returns its size in characters."""
    found.records += 1
    if isinstance(record, BadRecord):
        found.bad[record.category] += 1
        found.first_bad = found.first_bad or record
        return len(record.record)
    found.classes.update(_classes(record))
    found.lengths.append(len(record.tokens) or sum(len(segment.split()) for segment in record.segments))
    found.duplicates += record.id in seen
    seen.add(record.id)
    found.spanning += record.lines > 1
    return sum(map(len, record.tokens or record.segments))


def _classes(document: Document) -> Sequence[str]:
    if document.tags:
        return document.tags
    return document.labels or (() if document.label is None else (document.label,))
