import io
import json

import pytest

from components.corpus_example_gen.documents import Document, Part, Record
from components.corpus_example_gen.readers import text_stream
from components.corpus_example_gen.readers.formats import READERS
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError


def read(data: bytes, **values: object) -> list[Record]:
    settings = CorpusSettings.model_validate({"format": "json", "path": "x", **values})
    return list(READERS["json"].read(io.BytesIO(data), Part("/data/reviews.json"), settings))


def found(records: list[Record]) -> list[object]:
    return [record.segments[0] if isinstance(record, Document) else (record.line, record.reason) for record in records]


def test_elements_have_their_values_and_lines() -> None:
    data = b'\xef\xbb\xbf\n[{"text": "a", "n": 1, "at": "web"},\n\n{"at": "mail", "n": 0, "text": "b\\n]"}\n]\n'
    assert [(r.segments, r.label, r.source, r.line) for r in read(data, label="n", source="at")] == [
        (("a",), "1", "web", 2),
        (("b\n]",), "0", "mail", 4),
    ]


def test_empty_files_and_arrays_have_no_documents() -> None:
    assert read(b"") == read(b" \n") == read(b"[]") == read(b"\xef\xbb\xbf[ \n ]\n") == []


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (b"null", "not an object: found null"),
        (b'["a"]', "not an object: found a list"),
        (b"{}", "no text: no key 'text' among none"),
        (b'{"text": 5}', "text is no string: found a number"),
        (b'{"text": "\\ud800"}', "lone surrogate: \\ud800 at character 0 is half of a UTF-16 pair"),
        (b'{"text": "\\u0000"}', "NUL byte: at character 0 of the text"),
        (b'{"text": "a\xff"}', "invalid UTF-8: 0xff at byte 11 of the record"),
        (b'{"x": "\xc3\xa9\xff", "text": "a"}', "invalid UTF-8: 0xff at byte 9 of the record"),
        (b'{"text": a}', "broken JSON: Expecting value at character 9"),
        (b'{"text": "a"}}', "broken JSON: text behind the element"),
        (b'{"text": x, "c": [{"d": ","}, 1]}', "broken JSON: Expecting value at character 9"),
        (b'{"text": "a\nb"}', "broken JSON: Invalid control character at at character 11"),
        (b"nonsense", "broken JSON: Expecting value at character 0"),
    ],
)
@pytest.mark.parametrize("between", [b", ", b",\n", b",\n  "])
def test_a_broken_element_costs_itself(element: bytes, reason: str, between: bytes) -> None:
    good = b'{"text": "good"}'
    records = read(b"[" + between.join([good, element, good]) + b"]")
    assert found(records) == ["good", (1 + between.count(b"\n"), reason), "good"]


def test_invalid_bytes_are_replaced_on_request() -> None:
    assert found(read(b'[{"text": "a\xff"}]', encoding_errors="replace")) == ["a\ufffd"]
    latin = '[{"text": "caf\xe9"}]'.encode("latin-1")
    assert found(read(latin, encoding="latin-1")) == ["caf\xe9"]


def test_a_missing_comma_costs_nothing() -> None:
    assert found(read(b'[{"text": "a"} {"text": "b"}\n{"text": "c"},]')) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b'{"text": "a"}', ["no array", "'{' first", "jsonl"]),
        (b'[{"text": "a"},', ["torn", "line 1"]),
        (b'[{"text": "a"}', ["torn"]),
        (b'[{"text": "a"}]\n{}', ["goes on behind its array", "line 2"]),
        (b'[{"text": "a}, {"text": "b"}]', ["uncertain where it ends", "one object a line"]),
        (b'[{"text": "a", {"text": "b"}, {"text": "c"}}]', ["uncertain where it ends"]),
        (b'[\n{"text": "a}, {"text": "b"},\n{"text": "c"}]', ["uncertain where it ends", "line 2"]),
        (b'[\n{"text": "a},\n {"text": "b"},\n{"text": "c"}]', ["uncertain where it ends", "line 2"]),
    ],
)
def test_where_good_elements_could_be_lost_the_file_is_at_fault(data: bytes, parts: list[str]) -> None:
    with pytest.raises(JobError) as error:
        read(data)
    for part in ("/data/reviews.json", *parts):
        assert part in str(error.value)


@pytest.mark.parametrize("chunk", [5, 64, 1000])
@pytest.mark.parametrize("indent", [None, 2])
def test_elements_may_lie_across_the_pieces_that_are_read(
    monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None
) -> None:
    monkeypatch.setattr(text_stream, "_CHUNK_BYTES", chunk)
    texts = [f'{number} \u65e5\u672c, ["x"] ' * (number % 7 + 1) for number in range(60)]
    data = json.dumps([{"text": text, "n": number} for number, text in enumerate(texts)], indent=indent).encode()
    assert found(read(data)) == texts
    broken = data.replace(b'"n": 7,', b'"n": ,').replace(b'"n": 30', b'"n": x')
    records = read(broken)
    assert [text for text in found(records) if isinstance(text, str)] == texts[:30] + texts[31:]


def test_ten_megabytes_in_one_element() -> None:
    long = "word " * (2 << 20)
    assert found(read(json.dumps([{"text": "a"}, {"text": long}, {"text": "b"}]).encode())) == ["a", long, "b"]
