"""Assigns documents to splits, shards and positions."""

from __future__ import annotations

import bisect
import dataclasses
import hashlib
import itertools
from collections.abc import Iterable, Mapping
from typing import Literal

from components.corpus_example_gen.inputs.files import CorpusFile

ORDER_BYTES = 8
_SPACE = 1 << 64
_EXPANSION = dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zstd", ".parquet"), 3)
"""Assumed ratio of text bytes to file bytes, by suffix; higher ratios are rare, lower ones give smaller shards."""


class Splitter:
    """Splits by hash: the split of an id depends only on the id, the weights and their order."""

    def __init__(self, weights: Mapping[str, int]) -> None:
        self._names = tuple(weights)
        self._bounds = tuple(itertools.accumulate(weights.values()))

    def split(self, identity: bytes) -> str:
        """Returns the name of the split of an id."""
        return self._names[bisect.bisect_right(self._bounds, _hash(identity, b"split") * self._bounds[-1] // _SPACE)]


@dataclasses.dataclass(frozen=True)
class SplitRule:
    """How documents get their splits: by the hash of the id, by file, or by a column.

    `weights` has the weight of each split by name, in order; only a hash uses their values.
    """

    by: Literal["hash", "file", "column"]
    weights: Mapping[str, int]

    @property
    def names(self) -> tuple[str, ...]:
        """The splits in order."""
        return tuple(self.weights)

    def sizes(self, files: Iterable[tuple[str | None, CorpusFile]]) -> dict[str, int]:
        """Estimates the maximum size of each split in bytes from all files, each with its split or None."""
        sizes = dict.fromkeys(self.weights, 0)
        for given, file in files:
            size = file.size * next((times for end, times in _EXPANSION.items() if file.path.endswith(end)), 1)
            for split in sizes if given is None else [given]:
                sizes[split] += size
        if self.by != "hash":
            return sizes
        total = sum(self.weights.values())
        return {split: -(-size * self.weights[split] // total) for split, size in sizes.items()}


def shard_counts(sizes: Mapping[str, int], shard_bytes: int) -> dict[str, int]:
    """Returns the number of shards for splits of these sizes in bytes."""
    return {split: max(1, -(-size // shard_bytes)) for split, size in sizes.items()}


def order_key(identity: bytes) -> bytes:
    """Returns the 8 bytes by which a split is sorted; independent of the hash that chooses the split."""
    return _hash(identity, b"order").to_bytes(ORDER_BYTES, "big")


def shard_of(key: bytes, shards: int) -> int:
    """Returns the shard of an order key; shards are ranges of keys, so that the whole split is sorted."""
    return int.from_bytes(key, "big") * shards // _SPACE


def _hash(identity: bytes, salt: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(identity, digest_size=ORDER_BYTES, salt=salt).digest(), "big")
