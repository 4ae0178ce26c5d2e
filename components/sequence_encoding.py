"""`tf.SequenceExample` in protocol-buffer wire format, the same bytes for the same values.

Field numbers follow `tensorflow/core/example/example.proto` and `feature.proto`. Writing the wire
format joins ready-made pieces where protocol-buffer objects would be made token by token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def _varint(value: int) -> bytes:
    """Base-128 varint; negative numbers as their 64-bit two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def int64_feature(value: int) -> bytes:
    """A serialized `Feature` that holds one int64."""
    return _field(3, _field(1, _varint(value)))


def bytes_feature(value: bytes) -> bytes:
    """A serialized `Feature` that holds one byte string."""
    return _field(1, _field(1, value))


def step(feature: bytes) -> bytes:
    """A serialized `Feature` as one step of a feature list."""
    return _field(1, feature)


class Int64Steps:
    """Steps of int64 features, each distinct value encoded once."""

    def __init__(self) -> None:
        self._steps: dict[int, bytes] = {}

    def encode(self, values: Iterable[int]) -> bytes:
        """Returns the serialized `FeatureList` with one step a value."""
        steps = self._steps
        try:
            return b"".join([steps[value] for value in values])
        except KeyError:
            values = list(values)
            steps.update({value: step(int64_feature(value)) for value in set(values) - steps.keys()})
            return b"".join([steps[value] for value in values])


def sequence_example(context: Mapping[str, bytes], feature_lists: Mapping[str, bytes]) -> bytes:
    """Joins serialized parts into a serialized `tf.SequenceExample`, entries sorted by name.

    Args:
        context: Serialized `Feature` by name.
        feature_lists: Serialized `FeatureList` (steps joined) by name.
    """
    return _field(1, _entries(context)) + _field(2, _entries(feature_lists))


def _entries(values: Mapping[str, bytes]) -> bytes:
    names: Sequence[str] = sorted(values)
    return b"".join(_field(1, _field(1, name.encode()) + _field(2, values[name])) for name in names)
