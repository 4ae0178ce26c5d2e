import json
import re

import pytest

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.readers import json_reader
from tests.unit.components import corpus_records
from trainer.errors import JobError


def read(data: bytes | str, **values: object) -> list[object]:
    """The text of each document, the line and reason of each bad record."""
    records = corpus_records.read(data, "json", **values)
    return [record.segments[0] if isinstance(record, Document) else (record.line, record.reason) for record in records]


def test_elements_have_their_values_and_lines() -> None:
    data = b'\xef\xbb\xbf\n[{"text": "a", "n": 1, "at": "web"},\n\n{"at": "mail", "n": 0, "text": "b\\n]"}\n]\n'
    records = corpus_records.read(data, "json", label="n", source="at")
    assert [(r.segments, r.label, r.source, r.line) for r in records] == [
        (("a",), "1", "web", 2),
        (("b\n]",), "0", "mail", 4),
    ]
    numbers = ["1.10", "1E5", "-0", "18446744073709551616", "true"]
    array = ", ".join(f'{{"text": "a", "n": {number}}}' for number in numbers)
    assert [record.source for record in corpus_records.read(f"[{array}]", "json", source="n")] == [
        json.dumps(json.loads(number)) for number in numbers
    ]


def test_empty_files_and_arrays_have_no_documents() -> None:
    assert read(b"") == read(b" \n") == read(b"[]") == read(b"\xef\xbb\xbf[ \n ]\n") == []


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (b"null", "not an object: found null"),
        (b'["a"]', "not an object: found a list"),
        (b"[" * 3000 + b"]" * 3000, "not an object: found a list"),
        (b"{}", "no text: no key 'text' among none"),
        (b'{"text": 5}', "text is not a string: found a number"),
        (b'{"text": "\\ud800"}', "lone surrogate: \\ud800 is half of a UTF-16 pair"),
        (b'{"text": "\\\\\\udfff"}', "lone surrogate: \\udfff is half of a UTF-16 pair"),
        (b'{"text": "\\u0000"}', "NUL byte: at character 0 of the text"),
        (b'{"text": "a\xff"}', "invalid UTF-8: 0xff at byte {12} of the file"),
        (b'{"x": "\xc3\xa9\xff\xfe", "text": "a"}', "invalid UTF-8: 0xff at byte {10} of the file"),
        (b'["\xff"]', "invalid UTF-8: 0xff at byte {3} of the file"),
    ],
)
@pytest.mark.parametrize("between", [b", ", b",\n", b",\n  "])
def test_only_an_element_that_is_not_a_document_is_lost(element: bytes, reason: str, between: bytes) -> None:
    good = b'{"text": "\\ud83d\\ude00 \\\\ud800"}'
    records = read(b"[" + between.join([good, element, good]) + b"]")
    before = 1 + len(good) + len(between)
    expected = re.sub(r"\{(\d+)\}", lambda match: str(before + int(match[1])), reason)
    assert records == ["\U0001f600 \\ud800", (1 + between.count(b"\n"), expected), "\U0001f600 \\ud800"]


REST = "; the rest of the file is not read"


@pytest.mark.parametrize(
    ("rest", "line", "reason"),
    [
        (b",", 2, "truncated JSON file: it ends at byte 16"),
        (b"", 2, "truncated JSON file: it ends at byte 15"),
        (b',\n{"text": "b', 3, "truncated JSON file: it ends at byte 28"),
        (b"]\n{}", 3, "content after the JSON array: near byte 18 of the file"),
        (b',{"text": NaN},{"text": "c"}]', 2, "invalid JSON file: invalid char in json text, near byte 26" + REST),
        (b',\n{"text": a}, {"text": "c"}]', 3, "invalid JSON file: invalid char in json text, near byte 27" + REST),
        (b' {"text": "b"}]', 2, "invalid JSON file: after array element, I expect ',' or ']', near byte 17" + REST),
        (b', {"text": "a\nb"}]', 2, "invalid JSON file: invalid character inside string, near byte 28" + REST),
        (b', {"text": "a\0b"}]', 2, "invalid JSON file: invalid character inside string, near byte 28" + REST),
        (b', {"n": ' + b"9" * 5000 + b"}]", 2, "invalid JSON file: integer with too many digits, near byte 21" + REST),
        (b",]", 2, "invalid JSON file: unallowed token at this point in JSON text, near byte 17" + REST),
    ],
)
def test_elements_before_a_syntax_error_are_read(rest: bytes, line: int, reason: str) -> None:
    assert read(b'[\n{"text": "a"}' + rest) == ["a", (line, reason)]


def test_a_syntax_error_reports_its_offset_in_the_file() -> None:
    data = ('[{"text": "\u65e5", "n": "' + "\u672c" * 200 + '"},\r\n{"text": x}]').encode("utf-16")
    (_, bad) = corpus_records.read(data, "json", encoding="utf-16")
    at = data.index("x}".encode("utf-16-le")) + 2
    assert bad.reason == f"invalid JSON file: invalid char in json text, near byte {at}" + REST
    assert bad.record.endswith('\u672c"},\r\n{"text": x}]')


def test_an_element_that_is_too_long_ends_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_reader, "MAX_DOCUMENT_BYTES", 1000)
    monkeypatch.setattr(json_reader, "_CHUNK_BYTES", 100)
    for long in (b'"' + b"a" * 2000 + b'"', b"[" + b'"a",' * 500 + b"1]"):
        data = b'[{"text": "a"}, {"text": ' + long + b'}, {"text": "c"}]'
        assert read(data) == ["a", (1, "record too long: more than 64 MiB")]
    assert read(b"[" + b'{"text": "a"}, ' * 500 + b'{"text": "b"}]') == ["a"] * 500 + ["b"]


def test_encodings() -> None:
    assert read(b'[{"text": "a\xff"}]', encoding_errors="replace") == ["a\ufffd"]
    assert read(b'[{"text": "caf\xe9"}]', encoding="latin-1") == ["caf\xe9"]


@pytest.mark.parametrize("data", [b' {"text": "a"}', b"5", b"tru", b'"x"', b"nonsense"])
def test_a_file_that_is_not_an_array_is_an_error(data: bytes) -> None:
    with pytest.raises(JobError) as error:
        read(data)
    first = repr(data.decode().strip()[0])
    assert (error.value.where, error.value.found) == ("/data/corpus, line 1", f"{first} as its first character")


RECORDS = [{"text": "a", "items": [{"text": "no"}]}, {"text": "b"}]


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({"data": RECORDS}, "data"),
        ({"version": [1, [{"x": 1}]], "meta": {"data": []}, "data": RECORDS, "rest": [{"text": "no"}]}, "data"),
        ({"page": {"data": RECORDS, "n": {"data": RECORDS}}}, "page.data"),
        ({"a.b": {"c": RECORDS}}, "a.b.c"),
        ({"data": {"item": RECORDS[1:]}, "item": 1, "items": RECORDS}, "items"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("chunk", [7, 1000])
def test_the_array_of_a_key_is_read(monkeypatch, value, key, indent, chunk):
    monkeypatch.setattr(json_reader, "_CHUNK_BYTES", chunk)
    assert read(json.dumps(value, indent=indent), records=key) == ["a", "b"]


def test_faults_around_the_array_of_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    head = b'{"n": 1,\n"data": [{"text": "a"}'
    assert read(head, records="data") == ["a", (2, "truncated JSON file: it ends at byte 31")]
    assert read(head + b"]", records="data") == ["a", (2, "truncated JSON file: it ends at byte 32")]
    assert read(head + b"], x}", records="data")[1][1].startswith("invalid JSON file: ")
    monkeypatch.setattr(json_reader, "MAX_DOCUMENT_BYTES", 1000)
    monkeypatch.setattr(json_reader, "_CHUNK_BYTES", 100)
    long = b'{"text": "no"}, ' * 500 + b"0"
    data = b'{"before": [' + long + b'], "data": [{"text": "a"}], "after": [' + long + b"]}"
    assert read(data, records="data") == ["a"]


@pytest.mark.parametrize(
    ("data", "values", "parts"),
    [
        (b'{"n": 1, "data": [{"text": "a"}]}', {}, ["not an array", "records: data,", "format: jsonl if each line"]),
        (b'{"n": [[{}]],\n"d": {"rows": [{}]}}', {}, ["line 2", "records: d.rows, the key of an array."]),
        (b'{"text": "a"}\n{"text": "b"}\n', {}, ["'{' as its first", "corpus.format: jsonl if each line is an object"]),
        (b'{"rows": [{}]}', {"records": "data"}, ["no array data.", "the keys 'rows'", "records: rows"]),
        (b'{"data": {"x": 1}}', {"records": "data"}, ["no array data.", "the keys 'data'", "at data"]),
        (b'[{"data": []}]', {"records": "data"}, ["no array data.", "'[' as its first", "Remove corpus.records"]),
        (b"nonsense", {"records": "data"}, ["no array data.", "'n' as its first"]),
    ],
)
def test_a_file_without_the_array_names_another(data: bytes, values: dict[str, str], parts: list[str]) -> None:
    with pytest.raises(JobError) as error:
        read(data, **values)
    assert [part for part in parts if part not in str(error.value)] == []


@pytest.mark.parametrize("chunk", [5, 64, 1000])
@pytest.mark.parametrize("indent", [None, 2])
def test_elements_may_span_chunks(monkeypatch, chunk, indent):
    monkeypatch.setattr(json_reader, "_CHUNK_BYTES", chunk)
    texts = [f'{number} \u65e5\u672c, ["x"] ' * (number % 7 + 1) for number in range(60)]
    data = json.dumps([{"text": text, "n": number} for number, text in enumerate(texts)], indent=indent).encode()
    assert read(data) == texts
    assert read(data.replace(b'"n": 30', b'"n": x'))[:-1] == texts[:30]


def test_ten_megabytes_in_one_element() -> None:
    long = "word " * (2 << 20)
    assert read(json.dumps([{"text": "a"}, {"text": long}, {"text": "b"}])) == ["a", long, "b"]
