"""Reads and writes small corpora in tests."""

import io
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from components.corpus_example_gen.documents import Document, Part, Record
from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings


def corpus(format: str, **values: object) -> CorpusSettings:
    return CorpusSettings.model_validate({"format": format, "path": "x", **values})


def read(data: bytes | str | Path, format: str, **values: object) -> list[Record]:
    """The records of a file, or of the content of /data/corpus."""
    settings = corpus(format, **values)
    if isinstance(data, Path):
        return list(formats.read(Part(str(data)), settings))
    file = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(formats.READERS[format].read(file, Part("/data/corpus"), settings))


def read_parts(parts: Iterable[Part], settings: CorpusSettings) -> list[Record]:
    """The records of parts, all with their lines in the whole file."""
    records: list[Record] = []
    for part in parts:
        before = formats.lines_before(part, settings)
        for record in formats.read(part, settings):
            is_document = isinstance(record, Document)
            records.append(record._replace(line=record.line + before) if is_document else record)
    return records


def outcomes(records: list[Record], of: str = "segments") -> list[object]:
    """A field of each document; the line and reason of each bad record."""
    return [getattr(record, of) if isinstance(record, Document) else (record.line, record.reason) for record in records]


def fields_or_reasons(records: list[Record], of: str) -> list[object]:
    """A field of each document; the reason of each bad record."""
    return [getattr(record, of) if isinstance(record, Document) else record.reason for record in records]


def feature(value: object) -> tf.train.Feature:
    values = value if isinstance(value, list) else [value]
    if values and isinstance(values[0], float):
        return tf.train.Feature(float_list={"value": values})
    is_number = values and isinstance(values[0], int)
    return tf.train.Feature(**{"int64_list" if is_number else "bytes_list": {"value": values}})


def example(**values: object) -> bytes:
    features = {"feature": {name: feature(value) for name, value in values.items()}}
    return tf.train.Example(features=features).SerializeToString()


def sequence_example(context: dict[str, object], **lists: list) -> bytes:
    """A SequenceExample with one step per value of a list."""
    steps = {name: tf.train.FeatureList(feature=map(feature, values)) for name, values in lists.items()}
    features = {"feature": {name: feature(value) for name, value in context.items()}}
    return tf.train.SequenceExample(context=features, feature_lists={"feature_list": steps}).SerializeToString()


def write_records(path: Path, records: Iterable[bytes], compression: str = "") -> Path:
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)
    return path
