"""Reports of transformed shards and splits: the numbers of `dataset.json`."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from trainer.settings import PadSettings

_BATCH_TOKENS = 16_384
_BINS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)


class ShardFile(TypedDict):
    """A file of transformed examples; `sha256` covers its records, each preceded by its length in 8 bytes."""

    file: str
    documents: int
    bytes: int
    sha256: str


@dataclasses.dataclass
class ShardReport:
    """Counts of one transformed shard, or of several added up.

    Attributes:
        split: The split's name.
        documents: Documents read.
        left_out: Documents that are too short and not written.
        tokens: Token ids written, without padding.
        words: Token ids written other than `<bos>` and `<eos>`.
        unknown: Words that are not in the vocabulary.
        lengths: Documents written, by length.
        unknown_classes: Documents or tokens of an unknown class, by class.
        files: The files written.
    """

    split: str
    documents: int = 0
    left_out: int = 0
    tokens: int = 0
    words: int = 0
    unknown: int = 0
    lengths: Counter[int] = dataclasses.field(default_factory=Counter)
    unknown_classes: Counter[str] = dataclasses.field(default_factory=Counter)
    files: list[ShardFile] = dataclasses.field(default_factory=list)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ShardReport:
        """Creates a report from JSON, where keys are strings."""
        lengths = Counter({int(length): documents for length, documents in values["lengths"].items()})
        unknown_classes = Counter(values["unknown_classes"])
        return cls(**{**values, "lengths": lengths, "unknown_classes": unknown_classes})

    def add(self, other: ShardReport) -> None:
        """Adds another shard of the split."""
        for field in dataclasses.fields(self)[1:]:
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @property
    def written(self) -> int:
        """Documents written."""
        return self.documents - self.left_out

    @property
    def coverage(self) -> float:
        """Share of the words that are in the vocabulary; 1 without any words."""
        return 1 - self.unknown / self.words if self.words else 1.0


def dataset(report: ShardReport, pad: PadSettings | None) -> dict[str, Any]:
    """Describes a split from the sum of its shards' reports and the padding on disk.

    Returns:
        The contents of `dataset.json`. `padding` is the share of ids that are `<pad>` with every document padded to the
        longest, in batches by length of at most 16,384 ids, and on disk. `sha256` covers the checksums of the shards.
    """
    longest = max(report.lengths, default=0)
    shards = sorted(report.files, key=lambda file: file["file"])
    return {
        "split": report.split,
        "documents": report.written,
        "left_out": report.left_out,
        "empty": report.lengths[0],
        "tokens": report.tokens,
        "coverage": report.coverage,
        "length": {
            "mean": report.tokens / report.written if report.written else 0.0,
            "median": _median(report.lengths),
            "longest": longest,
            "histogram": list(_histogram(report.lengths)),
        },
        "padding": {
            "to_longest": _waste(report.tokens, report.written * longest),
            "by_length": _waste(report.tokens, _sorted_steps(report.lengths)),
            "on_disk": _waste(report.tokens, report.written * pad.to) if pad else 0.0,
        },
        "bytes": sum(file["bytes"] for file in report.files),
        "shards": shards,
        "sha256": hashlib.sha256("".join(file["sha256"] for file in shards).encode()).hexdigest(),
    }


def _waste(tokens: int, steps: int) -> float:
    return 1 - tokens / steps if steps else 0.0


def _sorted_steps(lengths: Mapping[int, int]) -> int:
    """Returns the number of ids, with padding, in batches of documents sorted by length, longest first."""
    steps = room = width = 0
    for length in sorted(lengths, reverse=True):
        waiting = lengths[length]
        while waiting and length:
            if not room:
                width, room = length, max(_BATCH_TOKENS // length, 1)
            taken = min(room, waiting)
            steps += taken * width
            room, waiting = room - taken, waiting - taken
    return steps


def _median(lengths: Mapping[int, int]) -> int:
    middle, seen = (sum(lengths.values()) + 1) // 2, 0
    for length in sorted(lengths):
        seen += lengths[length]
        if seen >= middle:
            return length
    return 0


def _histogram(lengths: Mapping[int, int]) -> Iterator[dict[str, int]]:
    """Yields the documents by length in bins that double; `to` is the last length of the bin."""
    longest = max(lengths, default=0)
    bounds = [start for start in _BINS if start <= longest]
    for start, stop in zip(bounds, [*bounds[1:], longest + 1], strict=True):
        documents = sum(count for length, count in lengths.items() if start <= length < stop)
        yield {"from": start, "to": stop - 1, "documents": documents}
