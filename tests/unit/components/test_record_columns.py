"""Texts of several columns, lists as segments, keys inside objects, and numbers for names, in every format."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.corpus_example_gen.documents import Document, Record
from tests.unit.components.corpus_records import example, fields_or_reasons, read, sequence_example, write_records

FORMATS = ["jsonl", "json", "parquet", "tf_example", "tf_sequence_example"]
TABLES = ["csv", "tsv"]


def written(rows: list[dict[str, Any]], format: str, path: Path) -> bytes | Path:
    """The rows in a format; lists are feature lists in SequenceExamples."""
    if format == "parquet":
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), file)
        return file.getvalue()
    if format in TABLES:
        lines = [rows[0], *(row.values() for row in rows)]
        return "\n".join(("," if format == "csv" else "\t").join(map(str, line)) for line in lines).encode()
    if format.startswith("tf"):
        make = {"tf_example": lambda row: example(**row), "tf_sequence_example": _sequence}[format]
        return write_records(path / "rows", [make(_as_bytes(row)) for row in rows])
    lines = [json.dumps(row) for row in rows]
    return ("\n".join(lines) if format == "jsonl" else f"[{','.join(lines)}]").encode()


def _as_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_bytes(inner) for key, inner in value.items() if inner is not None}
    return (
        list(map(_as_bytes, value)) if isinstance(value, list) else value.encode() if isinstance(value, str) else value
    )


def _sequence(row: dict[str, Any]) -> bytes:
    lists = {key: value for key, value in row.items() if isinstance(value, list)}
    return sequence_example({key: value for key, value in row.items() if key not in lists}, **lists)


def segments(records: list[Record]) -> list[object]:
    return fields_or_reasons(records, "segments")


@pytest.mark.parametrize("format", [*FORMATS, *TABLES])
def test_the_text_of_several_columns_is_joined_by_line_ends(tmp_path: Path, format: str) -> None:
    missing = "" if format in TABLES else None
    pairs = [("A title", "and more"), ("alone", missing), (missing, "body"), (missing, missing), (" ", "")]
    data = written([{"body": body, "n": 1, "title": title} for title, body in pairs], format, tmp_path)
    records = read(data, format, text=["title", "body"], label="n")
    nothing = "no text: no feature 'title' among 'n'" if format.startswith("tf") else "no text"
    assert segments(records) == [("A title\nand more",), ("alone",), ("body",), nothing, "no text"]
    split = read(data, format, text=["title", "body"], segment="line")
    assert segments(split)[:3] == [("A title", "and more"), ("alone",), ("body",)]
    assert split[0].id == records[0].id == read(b"text\n" + b'"A title\nand more"\n', "csv")[0].id
    assert segments(read(data, format, text=["title"]))[1] == ("alone",)


def test_every_column_of_a_table_must_exist_but_keys_may_be_absent() -> None:
    with pytest.raises(Exception, match=r"'titel' \(corpus.text\) is missing"):
        read("title,body\na,b\n", "csv", text=["titel", "body"])
    data = written([{"title": "a"}], "parquet", Path())
    with pytest.raises(Exception, match=r"'body' \(corpus.text\) is missing"):
        read(data, "parquet", text=["title", "body"])
    lines = '{"body": "b"}\n{"title": "t", "body": ["x", "y"]}\n{"other": 1}'
    assert segments(read(lines, "jsonl", text=["title", "body"])) == [
        *(("b",), ("t", "x", "y"), "no text: no key 'title' among 'other'"),
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_a_list_of_texts_gives_a_segment_each(tmp_path: Path, format: str) -> None:
    rows = [{"text": ["one", "two words", " "]}, {"text": ["x\ny"]}, {"text": []}]
    records = read(written(rows, format, tmp_path), format)
    assert segments(records) == [("one", "two words"), ("x\ny",), "no text"]
    lines = read(written(rows, format, tmp_path), format, segment="line")
    assert segments(lines)[1] == ("x", "y")


def test_json_lists_hold_only_texts() -> None:
    lines = ['{"text": ["a", null]}', '{"text": ["a", 1]}', '{"text": [["a"]]}', '{"text": {"a": 1}}']
    assert segments(read("\n".join(lines), "jsonl")) == [
        *(("a",), "text is not a string: found a number", "text is not a string: found a list"),
        "text is not a string: found an object",
    ]


TWEET = {
    "user": {"id": 7, "name": "u"},
    "tweet": {"full": {"text": "a b"}},
    "a.b": {"c.d": "x"},
    "user.name": "literal",
}


@pytest.mark.parametrize("format", ["jsonl", "json", "parquet"])
def test_keys_inside_objects_have_dots(tmp_path: Path, format: str) -> None:
    data = written([TWEET, {**TWEET, "tweet": None}, {**TWEET, "tweet": {"full": None}}], format, tmp_path)
    names = {"label": "a.b.c.d", "id": "user.id", "source": "user.name"}
    good, *bad = read(data, format, text="tweet.full.text", **names)
    assert good == Document(("a b",), "x", "literal", "7", good.line)
    reason = (
        "no text"
        if format == "parquet"
        else "no text: no key 'tweet.full.text' among 'user', 'tweet', 'a.b', 'user.name'"
    )
    assert [record.reason for record in bad] == [reason] * 2


def test_an_unknown_field_of_a_parquet_struct_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"'tweet.txt' \(corpus.text\) is missing in a Parquet file"):
        read(written([TWEET], "parquet", tmp_path), "parquet", text="tweet.txt")


PATHS = st.lists(st.sampled_from(["a", "b", "a.b", ".", ""]), min_size=1, max_size=3)


@given(PATHS)
def test_any_path_through_objects_is_found(path: list[str]) -> None:
    record: Any = "found"
    for key in reversed(path):
        record = {key: record}
    name = ".".join(path)
    if name:
        assert segments(read(json.dumps(record), "jsonl", text=name)) == [("found",)]


NAMES = ["neg", "pos", "neutral"]


@pytest.mark.parametrize("format", FORMATS)
def test_integers_number_a_list_of_labels(tmp_path: Path, format: str) -> None:
    rows = [{"text": "t", "n": number} for number in (0, 2, 1, 3, -1)]
    data = written(rows, format, tmp_path)
    unknown = "unknown label: {}, the names are numbered from 0 to 2"
    assert fields_or_reasons(read(data, format, label="n", labels=NAMES), "label") == [
        *("neg", "neutral", "pos", unknown.format(3), unknown.format(-1)),
    ]
    # A mapping and a list with integers name the integers themselves.
    mapped = read(data, format, label="n", labels={1: "a", 0: "b"})
    allowed = "unknown label: {!r}, allowed are '1', '0'"
    assert fields_or_reasons(mapped, "label") == ["b", allowed.format("2"), "a", *map(allowed.format, ("3", "-1"))]
    assert fields_or_reasons(read(data, format, label="n", labels=[1, 0]), "label")[:3] == [
        *("0", allowed.format("2"), "1"),
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_integers_number_the_labels_of_a_document(tmp_path: Path, format: str) -> None:
    data = written([{"text": "t", "n": [2, 0]}, {"text": "t", "n": [1, 5]}], format, tmp_path)
    records = read(data, format, label="n", labels=NAMES, multi_label=True)
    assert fields_or_reasons(records, "labels") == [
        *(("neg", "neutral"), "unknown label: 5, the names are numbered from 0 to 2"),
    ]


def test_text_and_other_numbers_are_no_ids() -> None:
    assert fields_or_reasons(read("text,n\na,1\nb,pos\n", "csv", label="n", labels=NAMES), "label") == [
        *("unknown label: '1', allowed are 'neg', 'pos', 'neutral'", "pos"),
    ]
    values = ['"pos"', '"1"', "1.0", "true"]
    lines = "\n".join(f'{{"text": "t", "n": {value}}}' for value in values)
    assert fields_or_reasons(read(lines, "jsonl", label="n", labels=NAMES), "label") == [
        "pos",
        *(f"unknown label: '{value}', allowed are 'neg', 'pos', 'neutral'" for value in ("1", "1.0", "true")),
    ]
    # As written by pandas, which has no other spelling.
    lines = '{"text": "t", "n": true}\n{"text": "t", "n": false}'
    assert fields_or_reasons(read(lines, "jsonl", label="n", labels=["False", "True"]), "label") == ["True", "False"]


TAGS = ["O", "B-PER", "I-PER", "B-ORG"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("numbers", [False, True])
def test_tokens_and_tags_of_every_format_with_lists(tmp_path: Path, format: str, numbers: bool) -> None:
    tags = [[3, 0, 0, 0], [1, 2]]
    rows = [
        {"key": key, "tokens": tokens, "ner": [number if numbers else TAGS[number] for number in row]}
        for key, tokens, row in zip("ab", (["EU", "rejects", "a", "call"], ["Peter", "B"]), tags, strict=True)
    ]
    records = read(written(rows, format, tmp_path), format, tag="ner", tags=TAGS, id="key")
    assert [(record.tokens, record.tags, record.id) for record in records] == [
        (("EU", "rejects", "a", "call"), ("B-ORG", "O", "O", "O"), "a"),
        (("Peter", "B"), ("B-PER", "I-PER"), "b"),
    ]
    without = read(written(rows, format, tmp_path), format, tag="ner")
    assert without[1].tags == (("1", "2") if numbers else ("B-PER", "I-PER"))


@pytest.mark.parametrize("format", ["jsonl", "json", "parquet", "tf_example"])
def test_sentences_that_are_not_aligned_are_bad(tmp_path: Path, format: str) -> None:
    rows = [
        *({"tokens": ["a", "b"], "ner": [0]}, {"tokens": ["a"], "ner": [4]}, {"tokens": ["a", " "], "ner": [0, 0]}),
        *({"tokens": ["a", ""], "ner": [0, 0]}, {"tokens": ["\u00a0"], "ner": [0]}, {"tokens": ["x"], "ner": [0]}),
    ]
    records = read(written(rows, format, tmp_path), format, tag="ner", tags=TAGS)
    assert fields_or_reasons(records, "tags") == [
        *("different lengths: 2 tokens, 1 tags", "unknown tag: 4, the names are numbered from 0 to 3"),
        "no token: the value is white space, U+0020 at token 2 of the sentence",
        "no token: the value is empty at token 2 of the sentence",
        *("no token: the value is white space, U+00A0 at token 1 of the sentence", ("O",)),
    ]


def test_json_sentences_need_lists_of_texts() -> None:
    lines = [
        '{"tokens": "a b", "ner": [0, 0]}',
        '{"tokens": ["a"]}',
        '{"tokens": [1], "ner": [0]}',
        '{"tokens": [null], "ner": [0]}',
    ]
    assert fields_or_reasons(read("\n".join(lines), "jsonl", tag="ner", tags=TAGS), "tags") == [
        *("tokens is not a list: found a string", "no tags: no key 'ner' among 'tokens'"),
        *("token is not a string: found a number", "no token: the value is empty at token 1 of the sentence"),
    ]
