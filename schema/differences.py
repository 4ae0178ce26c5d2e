"""Readable differences between two schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import Message
from tensorflow_metadata.proto.v0 import schema_pb2

from schema import curated

_SKIPPED = {"name", "domain", "string_domain", "struct_domain", "feature", "tensor_representation_group"}
_SHOWN_VALUES = 20

Facts = dict[str, "str | frozenset[str]"]
"""The properties of a feature by name: text, or the values of its domain."""


def differences(left: schema_pb2.Schema, right: schema_pb2.Schema) -> list[str]:
    """Compares two schemas.

    Returns:
        A line for each difference, `FEATURE, PROPERTY: LEFT -> RIGHT`, or what only one side has; empty if
        both have the same requirements, whatever their order and notation.
    """
    ours, theirs = _facts(left), _facts(right)
    lines: list[str] = []
    for name in sorted({*ours, *theirs}):
        if name in ours and name in theirs:
            lines += _properties(name, ours[name], theirs[name])
        else:
            lines.append(f"{name}: only in the {'first' if name in ours else 'second'}")
    return lines


def _properties(name: str, ours: Facts, theirs: Facts) -> Iterator[str]:
    for key in sorted({*ours, *theirs}):
        left, right = ours.get(key, "nothing"), theirs.get(key, "nothing")
        if isinstance(left, frozenset) and isinstance(right, frozenset):
            for side, values in (("first", left - right), ("second", right - left)):
                if values:
                    yield f"{name}, {key}: only in the {side}: {_format(values)}"
        elif left != right:
            yield f"{name}, {key}: {_format(left)} -> {_format(right)}"


def _facts(schema: schema_pb2.Schema) -> dict[str, Facts]:
    """Returns the requirements of a schema by feature and property."""
    facts: dict[str, Facts] = {"schema": _other_fields(schema)}
    for path, feature in _all_features(schema):
        domain = curated.domain(schema, feature)
        values: Facts = {"values": frozenset(domain)} if domain else {}
        short = path[-1] if path[0] == curated.SEQUENCE else ".".join(path)
        facts[".".join(path) if short in facts else short] = {**_other_fields(feature), **values}
    for group, representations in schema.tensor_representation_group.items():
        for name, representation in representations.tensor_representation.items():
            key = f"tensor {name}" + (f" of group {group}" if group else "")
            facts[key] = {"representation": _text(representation)}
    return facts


def _all_features(
    parent: schema_pb2.Schema | schema_pb2.StructDomain, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], schema_pb2.Feature]]:
    """Yields all features, including structs."""
    for feature in parent.feature:
        yield (*prefix, feature.name), feature
        yield from _all_features(feature.struct_domain, (*prefix, feature.name))


def _other_fields(message: Message) -> Facts:
    return {
        field.name.replace("_", " "): _field(getattr(message, field.name), field)
        for field, _ in message.ListFields()
        if field.name not in _SKIPPED
    }


def _field(value: object, field: Any) -> str:
    """Formats the value of a field."""
    if isinstance(value, Message):
        return _FORMATS.get(value.DESCRIPTOR.name, _text)(value)
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return "; ".join(_text(item) if isinstance(item, Message) else str(item) for item in value)
    return str(value)


def _shape(shape: schema_pb2.FixedShape) -> str:
    return f"{' by '.join(str(dim.size) for dim in shape.dim)} values" if shape.dim else "one value"


def _count(count: schema_pb2.ValueCount) -> str:
    return f"{count.min} to {count.max} values" if count.HasField("max") else f"at least {count.min} values"


def _comparator(comparator: schema_pb2.FeatureComparator) -> str:
    if [field.name for field, _ in comparator.ListFields()] == ["infinity_norm"]:
        return f"shares differ by at most {comparator.infinity_norm.threshold:g}"
    return _text(comparator)


def _text(message: Message) -> str:
    return str(text_format.MessageToString(message, as_one_line=True)).strip()


def _format(fact: str | frozenset[str]) -> str:
    if isinstance(fact, str):
        return fact
    more = f" and {len(fact) - _SHOWN_VALUES} more" if len(fact) > _SHOWN_VALUES else ""
    return ", ".join(repr(value) for value in sorted(fact)[:_SHOWN_VALUES]) + more


_FORMATS: dict[str, Callable[[Any], str]] = {
    "FixedShape": _shape,
    "ValueCount": _count,
    "ValueCountList": lambda counts: ", each of ".join(map(_count, counts.value_count)),
    "Annotation": lambda annotation: ", ".join([*sorted(annotation.tag), *annotation.comment]),
    "FeaturePresence": lambda it: f"in {it.min_fraction:.1%} of the documents, at least {it.min_count}",
    "FeatureComparator": _comparator,
}
