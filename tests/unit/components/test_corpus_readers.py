import hashlib
import io

import pytest

from components.corpus_example_gen.documents import BadRecord, Document, Part, Record
from components.corpus_example_gen.readers.csv_reader import MAX_RECORD_BYTES
from components.corpus_example_gen.readers.formats import READERS
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError


def read(data: bytes, format: str = "csv", **values: object) -> list[Record]:
    settings = CorpusSettings.model_validate({"format": format, "path": "x", **values})
    return list(READERS[format].read(io.BytesIO(data), Part(f"/data/reviews.{format}"), settings))


def texts(records: list[Record]) -> list[str]:
    return ["|".join(record.segments) for record in records if isinstance(record, Document)]


def faults(records: list[Record]) -> list[tuple[int, str]]:
    return [(record.line, record.reason) for record in records if isinstance(record, BadRecord)]


LABELLED = {"label": "label", "labels": {"0": "negative", "1": "positive"}}
GOOD = b"good,1\n"

CSV_FAULTS = [
    (b"a,1,x\n", "wrong number of columns: 3, the header has 2"),
    (b"alone\n", "wrong number of columns: 1, the header has 2"),
    (b",1\n", "no text"),
    (b" \t\xc2\xa0,1\n", "no text"),
    (b"a,\n", "no label: 'label' is empty"),
    (b"a,2\n", "unknown label: '2', allowed are '0', '1'"),
    (b"a,\xff\n", "invalid UTF-8: 0xff at byte 2 of the record"),
    (b"caf\xe9,1\n", "invalid UTF-8: 0xe9 at byte 3 of the record"),
    (b"\xed\xa0\x80,1\n", "invalid UTF-8: 0xed at byte 0 of the record"),
    (b"a\0b,1\n", "NUL byte: at byte 1 of the record"),
    (b'"a"b,1\n', "text after a closing quote: a quote within a quoted field is written twice"),
    (b'"a,1\n', "text after a closing quote: a quote within a quoted field is written twice"),
    (b"a\rb,1\n", "carriage return in an unquoted field"),
]


@pytest.mark.parametrize(("line", "reason"), CSV_FAULTS)
def test_csv_quarantines_the_broken_line_and_nothing_else(line: bytes, reason: str) -> None:
    records = read(b"text,label\n" + GOOD + line + b'"quoted, too",0\n' + GOOD, **LABELLED)
    assert texts(records) == ["good", "quoted, too", "good"]
    assert faults(records) == [(3, reason)]


def test_csv_quote_that_is_never_closed_costs_one_line() -> None:
    records = read(b'text,label\na,1\n"b,1\nc,1\n\nd,0\n', **LABELLED)
    assert texts(records) == ["a", "c", "d"]
    assert faults(records) == [(3, "quote never closed")]
    assert [record.line for record in records] == [2, 3, 4, 6]


def test_csv_quote_is_followed_no_farther_than_the_limit() -> None:
    long = b"x" * 1000 + b",1\n"
    lines = MAX_RECORD_BYTES // len(long) + 100
    records = read(b'text,label\n"b,1\n' + long * lines + b'"q, r",1\n', **LABELLED)
    assert faults(records) == [(2, "quote never closed")]
    assert len(texts(records)) == lines + 1


def test_csv_record_over_lines_of_the_wrong_width_costs_its_first_line() -> None:
    records = read(b'text,label\n"b,1\nc,1\n"\nd,1\n', **LABELLED)
    assert texts(records) == ["c", "d"]
    assert faults(records) == [(2, "wrong number of columns: 1, the header has 2"), (4, "quote never closed")]


def test_csv_bad_value_in_a_record_over_lines_costs_the_whole_record() -> None:
    records = read(b'text,label\n"b\nc,1\n",7\n"x\n\xff",1\nd,1\n', **LABELLED)
    assert texts(records) == ["d"]
    assert faults(records) == [
        (2, "unknown label: '7', allowed are '0', '1'"),
        (5, "invalid UTF-8: 0xff at byte 3 of the record"),
    ]


def test_csv_reads_quoting_line_ends_bom_and_blank_lines() -> None:
    data = b'\xef\xbb\xbftext,label\r\n"two\r\nlines, ""quoted""",1\r\n\r\n   \r\n5" disk,0\r\nlast,1'
    records = read(data, **LABELLED)
    assert texts(records) == ['two\r\nlines, "quoted"', '5" disk', "last"]
    assert [record.line for record in records] == [2, 6, 7]


def test_csv_field_may_be_longer_than_the_csv_modules_default() -> None:
    long = "word " * 50_000
    assert texts(read(f'text\n"{long}"\n'.encode())) == [long]


def test_document_has_class_name_source_and_id() -> None:
    data = b"key,from,text,label,other\nk1,web,Hello, 1 ,z\n"
    (record,) = read(data, id="key", source="from", **LABELLED)
    assert record == Document(("Hello",), "positive", "web", "k1", 2)
    (plain,) = read("text\nHéllo\n".encode())
    digest = hashlib.blake2b("Héllo".encode(), digest_size=16).hexdigest()
    assert plain == Document(("Héllo",), None, "reviews.csv", digest, 2)
    (free,) = read(b"text,label\nHello,any\n", label="label")
    assert free.label == "any"


def test_csv_other_delimiter_and_empty_named_columns() -> None:
    records = read(b"text\tfrom\tkey\na,b\tweb\t1\nc\t\t2\nd\tweb\t\n", delimiter="\t", source="from", id="key")
    assert texts(records) == ["a,b"]
    assert faults(records) == [(3, "no source: 'from' is empty"), (4, "no id: 'key' is empty")]


@pytest.mark.parametrize(
    ("data", "values", "parts"),
    [
        (b"txt,label\na,1\n", {}, ["'text' (corpus.text) is missing", "/data/reviews.csv", "'txt'", "Did you mean"]),
        (b"a;b\nx;y\n", {}, ["the columns 'a;b'", "corpus.delimiter"]),
        (b"text,text\na,b\n", {}, ["there more than once"]),
        (b"text\na\n", {"label": "label"}, ["'label' (corpus.label) is missing"]),
        ("text\na\n".encode("utf-16"), {}, ["not UTF-8", "UTF-16 byte order mark", "iconv"]),
        (b"te\xffxt\na\n", {}, ["header row", "line 1", "invalid UTF-8: 0xff at byte 2"]),
        (b'"text\na\n', {}, ["header row", "quote never closed"]),
        (b"text\ra\rb\r", {}, ["header row", "carriage return"]),
    ],
)
def test_csv_header_that_cannot_be_used(data: bytes, values: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(JobError) as error:
        read(data, **values)
    for part in parts:
        assert part in str(error.value)


def test_empty_files_have_no_records() -> None:
    assert read(b"") == read(b"text\n") == read(b"\n\n") == []
    assert read(b"", "jsonl") == read(b"\n  \r\n", "jsonl") == []


JSON_FAULTS = [
    (b'{"text": "a", "label": 1', "broken JSON: Expecting ',' delimiter at character 25"),
    (b"[" * 100_000, "broken JSON: maximum recursion depth exceeded while decoding a JSON array from a unicode string"),
    (b'["a", 1]', "not an object: found a list"),
    (b"null", "not an object: found null"),
    (b'{"txt": "a", "label": 1}', "no text: no key 'text' among 'txt', 'label'"),
    (b'{"text": null, "label": 1}', "no text"),
    (b'{"text": " \\n ", "label": 1}', "no text"),
    (b'{"text": 5, "label": 1}', "text is no string: found a number"),
    (b'{"text": ["a"], "label": 1}', "text is no string: found a list"),
    (b'{"text": "a"}', "no label: no key 'label' among 'text'"),
    (b'{"text": "a", "label": null}', "no label: 'label' is empty"),
    (b'{"text": "a", "label": {}}', "label is no string: found an object"),
    (b'{"text": "a", "label": 1.0}', "unknown label: '1.0', allowed are '0', '1'"),
    (b'{"text": "a", "label": "\\ud800"}', "unknown label: '\\ud800', allowed are '0', '1'"),
    (b'{"text": "ab\\ud800", "label": 1}', "lone surrogate: \\ud800 at character 2 is half of a UTF-16 pair"),
    (b'{"text": "\xff", "label": 1}', "invalid UTF-8: 0xff at byte 10 of the record"),
    (b'\0{"text": "a", "label": 1}', "broken JSON: Expecting value at character 0"),
]


@pytest.mark.parametrize(("line", "reason"), JSON_FAULTS)
def test_jsonl_quarantines_the_broken_line(line: bytes, reason: str) -> None:
    good = b'{"text": "good", "label": 1}\r\n'
    records = read(good + b"\n" + line + b"\n" + good, "jsonl", **LABELLED)
    assert texts(records) == ["good", "good"]
    assert faults(records) == [(3, reason)]


def test_jsonl_converts_numbers_and_booleans() -> None:
    data = b'\xef\xbb\xbf{"text": "\\ud83d\\ude00", "label": true, "key": 12, "from": 1.5}'
    (record,) = read(data, "jsonl", label="label", labels={True: "yes", False: "no"}, id="key", source="from")
    assert record == Document(("\N{GRINNING FACE}",), "yes", "1.5", "12", 1)


@pytest.mark.parametrize("key", ["id", "source"])
def test_jsonl_named_key_that_is_missing_or_no_scalar(key: str) -> None:
    records = read(b'{"text": "a"}\n{"text": "a", "k": []}\n{"text": "a", "k": "\\udc00"}\n', "jsonl", **{key: "k"})
    assert [reason.partition(":")[0] for _, reason in faults(records)] == [
        f"no {key}",
        f"{key} is no string",
        "lone surrogate",
    ]


def test_excerpt_is_short_and_valid() -> None:
    (record,) = read(b'{"text": ' + b"\xff" * 300 + b"\n", "jsonl")
    assert record.record == ('{"text": ' + "\\xff" * 300)[:200]
    assert record.category == "invalid UTF-8"
