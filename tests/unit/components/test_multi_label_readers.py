"""Documents with any number of labels, in every format that can hold them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.corpus_example_gen.documents import Document, Part, Record
from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.readers.formats import READERS
from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.writing.encode import encode

NAMED = {"d": "drama", "c": "comedy", "f": "drama"}


def corpus(format: str, **values: object) -> CorpusSettings:
    fixed = {"path": "x", "label": "genres", "multi_label": True}
    return CorpusSettings.model_validate({"format": format, **fixed, **values})


def read(data: bytes, format: str, **values: object) -> list[Record]:
    return list(READERS[format].read(io.BytesIO(data), Part("/data/films"), corpus(format, **values)))


def found(records: list[Record]) -> list[object]:
    return [record.labels if isinstance(record, Document) else record.reason for record in records]


def test_the_kind_is_one_of_its_own() -> None:
    settings = corpus("csv", labels=NAMED)
    assert (settings.kind.name, settings.class_names) == ("multi_labelled_text", ("drama", "comedy"))


def test_a_text_is_cut_and_its_labels_stand_in_the_order_of_the_classes() -> None:
    data = b'text,genres\na,"c, d,f"\nb,\nc," "\nd,d\ne,"d,,c"\nf,x\n'
    records = read(data, "csv", labels=NAMED)
    assert found(records) == [
        ("drama", "comedy"),
        (),
        (),
        ("drama",),
        "no label: a label of 'genres' is empty",
        "unknown label: 'x', allowed are 'd', 'c', 'f'",
    ]
    assert {record.label for record in records if isinstance(record, Document)} == {None}
    other = b"text,genres\na,z || a,b||z\n"
    assert found(read(other.replace(b",b", b";b"), "csv", label_separator="||")) == [("a;b", "z")]


def test_json_has_lists_texts_and_null() -> None:
    values = [["z", "a", "z"], [], "b,a", None, [1, True], ["a", None], ["a", ["b"]], 7, ["a,b"], {"a": 1}]
    lines = [json.dumps({"text": "t", "genres": value}) for value in values] + ['{"text": "t"}']
    expected = [
        ("a", "z"),
        (),
        ("a", "b"),
        (),
        ("1", "true"),
        "no label: one of the list is null",
        "label is no string: found a list",
        ("7",),
        ("a,b",),
        "label is no string: found an object",
        "no label: no key 'genres' among 'text'",
    ]
    assert found(read("\n".join(lines).encode(), "jsonl")) == expected
    assert found(read(f"[{','.join(lines)}]".encode(), "json")) == expected


def test_parquet_has_lists_and_texts() -> None:
    file = io.BytesIO()
    values = pa.array([["b", "a"], [], None, ["a", None]])
    pq.write_table(pa.table({"text": ["t"] * 4, "genres": values}), file)
    assert found(read(file.getvalue(), "parquet")) == [("a", "b"), (), (), "no label: one of the list is null"]
    file = io.BytesIO()
    pq.write_table(pa.table({"text": ["t"] * 2, "genres": [b"b|caf\xc3\xa9", b"a"]}), file)
    assert found(read(file.getvalue(), "parquet", label_separator="|")) == [("b", "caf\xe9"), ("a",)]


def feature(value: list) -> tf.train.Feature:
    if value and isinstance(value[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=value))
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=value))


def test_examples_have_lists(tmp_path: Path) -> None:
    path = tmp_path / "films"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for values in ([b"b", b"a"], [], [b"a,b"], [2, 1]):
            features = tf.train.Features(feature={"text": feature([b"t"]), "genres": feature(values)})
            writer.write(tf.train.Example(features=features).SerializeToString())
    assert found(list(formats.read(Part(str(path)), corpus("tf_example")))) == [("a", "b"), (), ("a,b",), ("1", "2")]


def test_sequence_examples_of_our_own_are_read_back(tmp_path: Path) -> None:
    documents = [
        Document(("one", "two"), None, "web", "1", 1, labels=("a", "b")),
        Document(("x",), None, "web", "2", 2, labels=()),
    ]
    path = tmp_path / "films"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for document in documents:
            writer.write(encode(document))
    settings = corpus("tf_sequence_example", label="labels", source="source", id="id")
    assert list(formats.read(Part(str(path)), settings)) == documents
    assert "labels" in tf.train.SequenceExample.FromString(encode(documents[1])).feature_lists.feature_list


@given(st.lists(st.sampled_from(["a", "b", "c", "d"])))
def test_order_and_repetition_make_no_difference(given_labels: list[str]) -> None:
    line = json.dumps({"text": "t", "genres": given_labels}).encode()
    assert found(read(line, "jsonl", labels=["c", "a", "d", "b"])) == [
        tuple(name for name in ("c", "a", "d", "b") if name in given_labels)
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label": None}, "multi_label needs label"),
        ({"multi_label": False, "label_separator": "|"}, "label_separator needs multi_label"),
        ({"label_separator": ""}, "at least 1 character"),
        ({"format": "conll"}, "label does not apply to format conll"),
    ],
)
def test_what_cannot_be_is_told(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corpus(**{"format": "csv", **values})
