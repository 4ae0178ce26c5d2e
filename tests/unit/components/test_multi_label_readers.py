"""Documents with any number of labels, in every format that can hold them."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from components.corpus_example_gen.documents import Document
from tests.unit.components import corpus_records
from tests.unit.components.corpus_records import example, fields_or_reasons, write_records


def read(data: bytes | str | Path, format: str, **values: object) -> list[object]:
    """The labels of each document, the reason of each bad record."""
    return fields_or_reasons(corpus_records.read(data, format, label="genres", multi_label=True, **values), "labels")


def test_text_is_split_and_labels_follow_the_order_of_the_classes() -> None:
    data = 'text,genres\na,"c, d,f"\nb,\nc," "\nd,d\ne,"d,,c"\nf,x\n'
    assert read(data, "csv", labels={"d": "drama", "c": "comedy", "f": "drama"}) == [
        *(("drama", "comedy"), (), (), ("drama",)),
        *("no label: a label in 'genres' is empty", "unknown label: 'x', allowed are 'd', 'c', 'f'"),
    ]
    assert read("text,genres\na,z || a;b||z\n", "csv", label_separator="||") == [("a;b", "z")]
    (record,) = corpus_records.read("text,genres\na,z\n", "csv", label="genres", multi_label=True)
    assert isinstance(record, Document)
    assert (record.label, record.labels) == (None, ("z",))


def test_json_labels_are_lists_text_or_null() -> None:
    values = [["z", "a", "z"], [], "b,a", None, [1, True], ["a", None], ["a", ["b"]], 7, ["a,b"], {"a": 1}]
    lines = [json.dumps({"text": "t", "genres": value}) for value in values] + ['{"text": "t"}']
    expected = [
        *(("a", "z"), (), ("a", "b"), (), ("1", "true")),
        *("no label: one in the list is null", "label is not a string: found a list", ("7",), ("a,b",)),
        *("label is not a string: found an object", "no label: no key 'genres' among 'text'"),
    ]
    assert read("\n".join(lines), "jsonl") == read(f"[{','.join(lines)}]", "json") == expected


def test_parquet_labels_are_lists_or_text() -> None:
    file = io.BytesIO()
    values = pa.array([["b", "a"], [], None, ["a", None]])
    pq.write_table(pa.table({"text": ["t"] * 4, "genres": values}), file)
    assert read(file.getvalue(), "parquet") == [("a", "b"), (), (), "no label: one in the list is null"]
    file = io.BytesIO()
    pq.write_table(pa.table({"text": ["t"] * 2, "genres": [b"b|caf\xc3\xa9", b"a"]}), file)
    assert read(file.getvalue(), "parquet", label_separator="|") == [("b", "caf\xe9"), ("a",)]


def test_example_labels_are_lists(tmp_path: Path) -> None:
    values = ([b"b", b"a"], [], [b"a,b"], [2, 1])
    path = write_records(tmp_path / "films", [example(text=b"t", genres=value) for value in values])
    assert read(path, "tf_example") == [("a", "b"), (), ("a,b",), ("1", "2")]


@given(st.lists(st.sampled_from(["a", "b", "c", "d"])))
def test_order_and_repetition_do_not_matter(given_labels: list[str]) -> None:
    line = json.dumps({"text": "t", "genres": given_labels})
    assert read(line, "jsonl", labels=["c", "a", "d", "b"]) == [
        tuple(name for name in ("c", "a", "d", "b") if name in given_labels)
    ]
