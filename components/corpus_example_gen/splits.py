"""To which split a document belongs and where it stands in it, by hashes of its id alone."""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Mapping

ORDER_BYTES = 8
_SPACE = 1 << 64


class Splitter:
    """Splits by hash: an id's split depends on nothing but the id and the weights.

    Args:
        weights: Weight of each split by name, in order.
    """

    def __init__(self, weights: Mapping[str, int]) -> None:
        self._names = tuple(weights)
        self._bounds = tuple(itertools.accumulate(weights.values()))

    def split(self, identity: bytes) -> str:
        """Returns the name of the id's split."""
        return self._names[bisect.bisect_right(self._bounds, _hash(identity, b"split") * self._bounds[-1] // _SPACE)]


def order_key(identity: bytes) -> bytes:
    """Returns the 8 bytes by which a split is ordered; independent of the split's own hash."""
    return _hash(identity, b"order").to_bytes(ORDER_BYTES, "big")


def shard_of(key: bytes, shards: int) -> int:
    """Returns the shard of an order key; shards are ranges of keys, so the whole split is in order."""
    return int.from_bytes(key, "big") * shards // _SPACE


def _hash(identity: bytes, salt: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(identity, digest_size=ORDER_BYTES, salt=salt).digest(), "big")
