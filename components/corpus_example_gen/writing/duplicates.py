"""Finds equal documents. Of equal ids, the first is kept; of equal texts, preferably one outside of train."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.origins import ORIGIN
from components.corpus_example_gen.writing.spill import Entries

By = Literal["id", "text"]

KEY = np.dtype([("id", ">u8", (2,)), ("text", ">u8", (2,)), *ORIGIN.descr, ("split", "u1"), ("shard", ">u4")])
"""Hashes and origin of a document."""
DROP = np.dtype([("dropped", ORIGIN), ("kept", ORIGIN), ("by_id", "?")])
"""A document to drop, and the equal one that is kept."""

_HASH_BYTES = 16
_NO_HASH = bytes(_HASH_BYTES)
_SHARD = struct.Struct(">BI")
_LENGTH = struct.Struct(">Q")


def key(document: Document, by: Sequence[By], *, origin: bytes, split: int, shard: int) -> bytes:
    """Returns a document's entry of the type `KEY`, from its packed origin and the numbers of its split and shard.

    Hashes not in `by` are zero.
    """
    identity = _hash([document.id]) if "id" in by else _NO_HASH
    text = _hash(document.tokens or document.segments) if "text" in by else _NO_HASH
    return identity + text + origin + _SHARD.pack(split, shard)


def bucket_of(key: bytes, by: By, buckets: int) -> int:
    """Returns the bucket of an entry, the same for equal documents."""
    start = KEY.fields[by][1]  # type: ignore[index]
    return (int.from_bytes(key[start : start + 4], "big") * buckets) >> 32


def preference(splits: Sequence[str]) -> tuple[int, ...]:
    """Returns the preference for keeping the copy in each split: 0 for train, else increasing in order."""
    others = [split for split in splits if split != "train"]
    return tuple(others.index(split) + 1 if split in others else 0 for split in splits)


def find(keys: Entries, by: By, preferred: Sequence[int]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Finds the documents to drop.

    Args:
        keys: Entries of the type `KEY`, `[n]`.
        by: The criterion of equality.
        preferred: `preference` of each split; unused for ids, of which the first is kept.

    Returns:
        Indices of the documents to drop and, for each, the index of the one that is kept.
    """
    high, low = keys[by][:, 0].astype(np.uint64), keys[by][:, 1].astype(np.uint64)
    loses = -np.asarray(preferred)[keys["split"]] if by == "text" else np.zeros(len(keys), int)
    order = np.lexsort((keys["line"], keys["start"], keys["file"], loses, low, high))
    is_repeat = np.zeros(len(keys), bool)
    is_repeat[1:] = (high[order][1:] == high[order][:-1]) & (low[order][1:] == low[order][:-1])
    first = np.maximum.accumulate(np.where(is_repeat, 0, np.arange(len(keys))))
    return order[is_repeat], order[first[is_repeat]]


def drops(keys: Entries, dropped: npt.NDArray[np.intp], kept: npt.NDArray[np.intp], by: By) -> Entries:
    """Returns the results of `find` as entries of the type `DROP`."""
    found = np.empty(len(dropped), DROP)
    for name in ORIGIN.names or ():
        found["dropped"][name], found["kept"][name] = keys[name][dropped], keys[name][kept]
    found["by_id"] = by == "id"
    return found


def _hash(parts: Sequence[str]) -> bytes:
    digest = hashlib.blake2b(digest_size=_HASH_BYTES)
    for part in parts:
        encoded = part.encode()
        digest.update(_LENGTH.pack(len(encoded)))
        digest.update(encoded)
    return digest.digest()
