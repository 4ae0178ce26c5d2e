import csv
import io
import json

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.corpus_example_gen.documents import EXCERPT_CHARS, BadRecord, Document
from components.corpus_example_gen.writing.encode import encode
from components.corpus_example_gen.writing.split_assignment import order_key, shard_of
from tests.unit.components.corpus_records import read
from trainer.data import features, kinds

UNICODE = st.text(st.characters(exclude_categories=["Cs"]))
TEXTS = UNICODE.filter(lambda text: text and not text.isspace() and "\0" not in text)


def write_csv(rows: list[tuple[str, ...]], quoting: int, end: str = "\n") -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=quoting, lineterminator=end).writerows(rows)
    return file.getvalue().encode()


QUOTING = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])


@given(st.lists(TEXTS), QUOTING, st.sampled_from(["\n", "\r\n"]))
def test_csv_round_trip(texts, quoting, end):
    # Without quotes, the writer of Python 3.10 leaves a bare carriage return that RFC 4180 forbids.
    quoting = csv.QUOTE_ALL if any("\r" in text for text in texts) else quoting
    data = write_csv([("n", "text"), *((str(n), text) for n, text in enumerate(texts))], quoting, end)
    assert [(record.id, record.segments[0]) for record in read(data, "csv", id="n")] == [
        (str(n), text) for n, text in enumerate(texts)
    ]


@given(st.lists(TEXTS), st.booleans())
def test_jsonl_round_trip(texts: list[str], escape: bool) -> None:
    data = "".join(json.dumps({"text": text}, ensure_ascii=escape) + "\n" for text in texts)
    assert [record.segments[0] for record in read(data, "jsonl")] == texts


BROKEN_CSV = st.sampled_from(
    [b'"open quote,1\n', b'"a" after,1\n', b"too,many,1\n", b"alone\n", b"\xff,1\n", b"n\0l,1\n", b" ,1\n", b"a,7\n"]
)


# The first quote of other texts could close a stray quote before the record.
UNAMBIGUOUS = TEXTS.filter(lambda text: text.lstrip('"')[:1] not in ("", ",", "\r", "\n"))


@settings(max_examples=300)
@given(st.lists(UNAMBIGUOUS | BROKEN_CSV), st.sampled_from(["0", "1"]))
def test_broken_csv_lines_lose_no_good_record(items: list[str | bytes], label: str) -> None:
    lines = [write_csv([(item, label)], csv.QUOTE_ALL) if isinstance(item, str) else item for item in items]
    data = b"text,label\n" + b"".join(lines)
    records = read(data, "csv", label="label", labels=["0", "1"])
    good = [record.segments[0] for record in records if isinstance(record, Document)]
    assert good == [item for item in items if isinstance(item, str)]
    bad = [data.split(b"\n")[record.line - 1] for record in records if isinstance(record, BadRecord)]
    assert bad == [item.rstrip(b"\n") for item in items if isinstance(item, bytes)]


BROKEN_JSON = st.sampled_from(
    [b'{"text": "a"', b"[]", b'{"text": 1}', b'{"text": "\\ud800"}', b'{"text": "\xff"}', b"{}", b'{"text": ""}']
)


@given(st.lists(st.one_of(TEXTS, BROKEN_JSON)))
def test_broken_json_lines_lose_no_good_record(items: list[str | bytes]) -> None:
    lines = [json.dumps({"text": item}).encode() if isinstance(item, str) else item for item in items]
    records = read(b"\n".join(lines), "jsonl")
    assert [record.segments[0] if isinstance(record, Document) else None for record in records] == [
        item if isinstance(item, str) else None for item in items
    ]


@settings(max_examples=300)
@given(st.binary(), st.sampled_from(["csv", "jsonl"]))
def test_any_bytes_give_documents_or_valid_bad_records(data: bytes, form: str) -> None:
    for record in read(b"text\n" + data if form == "csv" else data, form):
        if isinstance(record, BadRecord):
            assert record.reason
            assert len(record.record) <= EXCERPT_CHARS
            json.dumps(record, ensure_ascii=False).encode()
        else:
            assert record.segments[0].encode().strip()


PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1)
FIELDS = (st.none() | TEXTS, TEXTS, TEXTS, st.integers(1), st.none() | TEXTS)
TEXT_DOCUMENTS = st.builds(
    Document,
    st.lists(TEXTS, min_size=1).map(tuple),
    *FIELDS,
    tokens=st.just(()),
    tags=st.just(()),
    labels=st.none() | st.lists(TEXTS, max_size=3).map(tuple),
    weight=st.none() | st.floats(0, 2.0**100, width=32),
)
TAGGED_DOCUMENTS = st.builds(
    lambda pairs, *fields: Document((), *fields, *map(tuple, zip(*pairs, strict=True))), PAIRS, *FIELDS
)


@given(TEXT_DOCUMENTS | TAGGED_DOCUMENTS)
def test_encoded_documents_round_trip(document: Document) -> None:
    serialized = encode(document)
    example = tf.train.SequenceExample.FromString(serialized)
    context = {
        name: (*(value.decode() for value in found.bytes_list.value), *found.float_list.value)
        for name, found in example.context.feature.items()
    }
    fields = {name: getattr(document, name) for name in ("id", "source", "label", "weight")}
    assert context == {name: (value,) for name, value in fields.items() if value is not None}
    lists = {
        name: [[value.decode() for value in step.bytes_list.value] for step in found.feature]
        for name, found in example.feature_lists.feature_list.items()
    }
    steps = {"text": document.segments, "tokens": document.tokens, "tags": document.tags}
    expected = {name: values for name, values in steps.items() if values}
    if document.labels is not None:
        expected["labels"] = document.labels
    assert lists == {name: [[value] for value in values] for name, values in expected.items()}
    assert encode(document._replace(line=document.line + 1)) == serialized


@settings(max_examples=20)
@given(st.lists(TEXT_DOCUMENTS | TAGGED_DOCUMENTS, min_size=1, max_size=5))
def test_encoded_documents_follow_the_data_contract(documents: list[Document]) -> None:
    records = tf.constant([encode(document) for document in documents])
    parsed = {name: value for kind in kinds.KINDS.values() for name, value in features.parse_raw(records, kind).items()}
    for name, field in (("text", "segments"), ("tokens", "tokens"), ("tags", "tags")):
        expected = [[[value.encode()] for value in getattr(document, field)] for document in documents]
        assert parsed[name].to_list() == expected
    labels = [[[label.encode()] for label in document.labels or ()] for document in documents]
    assert parsed["labels"].to_list() == labels
    assert parsed["text"].row_splits.dtype == tf.int64
    assert parsed["label"].numpy().tolist() == [(document.label or "").encode() for document in documents]
    assert parsed["id"].numpy().tolist() == [document.id.encode() for document in documents]


@given(st.lists(st.binary(min_size=1), min_size=2), st.integers(1, 50))
def test_shards_follow_the_order(identities: list[bytes], shards: int) -> None:
    keys = sorted(order_key(identity) for identity in identities)
    found = [shard_of(key, shards) for key in keys]
    assert found == sorted(found)
    assert all(0 <= shard < shards for shard in found)
