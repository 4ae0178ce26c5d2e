"""`tf.SequenceExample` in protocol-buffer wire format, with equal bytes for equal values.

Field numbers follow `tensorflow/core/example/example.proto` and `feature.proto`. Joining precomputed pieces of the
wire format is faster than creating a protocol-buffer object per token.
"""

from __future__ import annotations

import functools
import itertools
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

Ids = np.ndarray[Any, np.dtype[np.int64]]


@functools.lru_cache(1 << 16)
def _varint(value: int) -> bytes:
    """Base-128 varint; negative numbers as their 64-bit two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


_LENGTH_DELIMITED = [_varint(number << 3 | 2) for number in range(4)]


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited field."""
    return _LENGTH_DELIMITED[number] + _varint(len(payload)) + payload


def int64_feature(value: int) -> bytes:
    """Serializes a `Feature` of one int64, unpacked: a byte less than packed, and parsers accept both."""
    return _field(3, b"\x08" + _varint(value))


def float_feature(value: float) -> bytes:
    """Serializes a `Feature` of one value, rounded to float32."""
    return _field(2, _field(1, struct.pack("<f", value)))


def bytes_feature(value: bytes) -> bytes:
    """Serializes a `Feature` of one byte string."""
    return _field(1, _field(1, value))


def step(feature: bytes) -> bytes:
    """Serializes one step of a `FeatureList` from a serialized `Feature`."""
    return _field(1, feature)


def encode_texts(values: Iterable[bytes], row_splits: Ids) -> list[bytes]:
    """Serializes the `FeatureList` of each row of a ragged batch, one step per byte string; see `Int64Steps`."""
    steps = [step(bytes_feature(value)) for value in values]
    return [b"".join(steps[start:stop]) for start, stop in itertools.pairwise(row_splits.tolist())]


class Int64Steps:
    """Encodes steps of ids with a lookup table of their bytes, which grows with the largest id seen."""

    def __init__(self) -> None:
        self._grow(256)

    def encode_rows(self, values: Ids, row_splits: Ids) -> list[bytes]:
        """Encodes the rows of a ragged batch.

        Args:
            values: The ids of all rows, int64 [steps].
            row_splits: Where each row starts and the last one ends, int64 [rows + 1].

        Returns:
            The serialized `FeatureList` of each row, one step per id.

        Raises:
            ValueError: If an id is negative.
        """
        if values.size:
            if values.min() < 0:
                raise ValueError(f"an id is negative: {values.min()}")
            if values.max() >= len(self._lengths):
                self._grow(1 << int(values.max()).bit_length())
        # `take` is many times faster than indexing with an array.
        used = self._used.take(values, axis=0).ravel()
        joined = self._steps.take(values, axis=0).ravel().compress(used).tobytes()
        ends = np.concatenate([[0], np.cumsum(self._lengths.take(values))]).take(row_splits).tolist()
        return [joined[start:stop] for start, stop in itertools.pairwise(ends)]

    def _grow(self, size: int) -> None:
        ids = np.arange(size, dtype=np.int64)
        varint_bytes = 1 + np.sum([ids >= 1 << bits for bits in range(7, size.bit_length(), 7)], axis=0)
        width = 5 + int(varint_bytes.max())
        self._lengths = 5 + varint_bytes
        self._used = np.arange(width) < self._lengths[:, None]
        self._steps = np.zeros([size, width], np.uint8)
        tags_and_sizes = (0x0A, varint_bytes + 3, 0x1A, varint_bytes + 1, 0x08)
        for column, value in enumerate(tags_and_sizes):
            self._steps[:, column] = value
        for index in range(width - 5):
            continued = np.where(varint_bytes > index + 1, 0x80, 0)
            self._steps[:, 5 + index] = ids >> 7 * index & 0x7F | continued


def sequence_example(context: Mapping[str, bytes], feature_lists: Mapping[str, bytes]) -> bytes:
    """Joins serialized `Feature`s and `FeatureList`s by name into a serialized `tf.SequenceExample`, sorted by name."""
    return _field(1, _entries(context)) + _field(2, _entries(feature_lists))


def _entries(values: Mapping[str, bytes]) -> bytes:
    parts: list[bytes] = []
    for name in sorted(values):
        key, size, value = _key(name), _varint(len(values[name])), values[name]
        parts += (_LENGTH_DELIMITED[1], _varint(len(key) + len(size) + len(value)), key, size, value)
    return b"".join(parts)


@functools.lru_cache
def _key(name: str) -> bytes:
    """Returns the bytes of a map entry that precede the length of its value."""
    return _field(1, name.encode()) + _LENGTH_DELIMITED[2]
