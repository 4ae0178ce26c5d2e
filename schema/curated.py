"""Loads the curated schemas, one per kind of corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

SCHEMAS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.pbtxt")))
"""The kinds of corpora with a curated schema."""

SEQUENCE = "##SEQUENCE##"
"""The struct that holds the feature lists of a SequenceExample in TFX's readers."""

_WEIGHT = """
    name: "weight" type: FLOAT presence { min_fraction: 1.0 min_count: 1 } shape {} float_domain { min: 0.0 }
"""


def path(kind: str) -> Path:
    """Returns the path of the curated schema of a kind of corpus, one of `SCHEMAS`."""
    return Path(__file__).parent / f"{kind}.pbtxt"


def load(kind: str) -> schema_pb2.Schema:
    """Reads the curated schema of a kind of corpus."""
    return text_format.Parse(path(kind).read_text(encoding="utf-8"), schema_pb2.Schema())


def for_corpus(
    kind: str,
    *,
    target: str | None = None,
    classes: Sequence[str] = (),
    named_sources: bool = True,
    weighted: bool = False,
) -> schema_pb2.Schema:
    """Returns the curated schema of a kind, adapted to one corpus.

    Args:
        kind: One of `SCHEMAS`.
        target: The feature with the classes, if any.
        classes: The class names, which are its domain; empty: any are allowed.
        named_sources: Whether the corpus names its sources. Otherwise the sources are file names, which change from
            span to span, so their distribution is not compared.
        weighted: Whether the documents have weights.
    """
    schema = load(kind)
    if weighted:
        schema.feature.append(text_format.Parse(_WEIGHT, schema_pb2.Feature()))
    for steps, feature in features(schema):
        if classes and steps[-1] == target:
            feature.string_domain.name = steps[-1]
            feature.string_domain.value.extend(classes)
        if steps == ("source",) and not named_sources:
            feature.ClearField("drift_comparator")
            feature.ClearField("skew_comparator")
    return schema


def features(
    parent: schema_pb2.Schema | schema_pb2.StructDomain, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], schema_pb2.Feature]]:
    """Yields the features of a schema that hold values, with their paths; feature lists are under `SEQUENCE`."""
    for feature in parent.feature:
        steps = (*prefix, feature.name)
        if feature.HasField("struct_domain"):
            yield from features(feature.struct_domain, steps)
        else:
            yield steps, feature


def domain(schema: schema_pb2.Schema, feature: schema_pb2.Feature) -> tuple[str, ...]:
    """Returns the allowed values of a feature, from its own or the schema's domain; empty: any."""
    if feature.HasField("string_domain"):
        return tuple(feature.string_domain.value)
    found = [tuple(shared.value) for shared in schema.string_domain if feature.domain and shared.name == feature.domain]
    return found[0] if found else ()
