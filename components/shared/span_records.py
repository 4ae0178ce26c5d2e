"""Which records of a shard belong to which span of a rolling window, in two files per shard beside the splits.

Each span has a digest of its records in the shard. Digests add up over shards, whatever the number of shards is, so the
records of a span have one digest in every window that has the same ones.
"""

from __future__ import annotations

import hashlib
import json
import posixpath

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_FOLDER = "spans"
_BYTES = 32
_SPAN = np.dtype("<u4")


class SpanRecords:
    """Collects the spans of the records of a shard, in their order."""

    def __init__(self, spans: int) -> None:
        self._digests, self._spans = [0] * spans, list[int]()

    def add(self, span: int, record: bytes) -> None:
        """Adds the next record of the shard; spans are numbered from 0."""
        digest = hashlib.blake2b(record, digest_size=_BYTES).digest()
        self._digests[span] = (self._digests[span] + int.from_bytes(digest, "big")) % (1 << 8 * _BYTES)
        self._spans.append(span)

    def write(self, shard: str) -> None:
        """Writes the files of a shard, given by its path."""
        base = _base(shard)
        tf.io.gfile.makedirs(posixpath.dirname(base))
        _write(f"{base}.records", np.array(self._spans, _SPAN).tobytes())
        _write(f"{base}.json", json.dumps([f"{digest:0{2 * _BYTES}x}" for digest in self._digests]).encode())


def read_spans(shard: str) -> NDArray[np.int64]:
    """Returns the span of each record of a shard, int64 [records]."""
    with tf.io.gfile.GFile(f"{_base(shard)}.records", "rb") as file:
        return np.frombuffer(file.read(), _SPAN).astype(np.int64)


def read_digests(shards: list[str]) -> list[str] | None:
    """Returns the digest of the records of each span in all shards; None if the shards have no spans."""
    total: list[int] = []
    for shard in shards:
        path = f"{_base(shard)}.json"
        if not tf.io.gfile.exists(path):
            return None
        with tf.io.gfile.GFile(path, "rb") as file:
            digests = [int(digest, 16) for digest in json.loads(file.read())]
        total = [sum(pair) % (1 << 8 * _BYTES) for pair in zip(total or [0] * len(digests), digests, strict=True)]
    return [f"{digest:0{2 * _BYTES}x}" for digest in total]


def _base(shard: str) -> str:
    folder, name = posixpath.split(shard)
    root, split = posixpath.split(folder)
    return posixpath.join(root, _FOLDER, split, name)


def _write(path: str, content: bytes) -> None:
    with tf.io.gfile.GFile(f"{path}.partial", "wb") as file:
        file.write(content)
    tf.io.gfile.rename(f"{path}.partial", path, overwrite=True)
