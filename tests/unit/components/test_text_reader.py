import pytest

from components.corpus_example_gen import documents
from components.corpus_example_gen.readers import lines, text_reader
from tests.unit.components.corpus_records import outcomes, read
from trainer.errors import JobError

TEXT = b"\xef\xbb\xbffirst line\r\nsecond\n\n \t\nthird\n"


@pytest.mark.parametrize(
    ("document", "segment", "expected"),
    [
        ("line", "document", [(1, ("first line",)), (2, ("second",)), (5, ("third",))]),
        (None, "document", [(1, ("first line",)), (2, ("second",)), (5, ("third",))]),
        ("paragraph", "document", [(1, ("first line\r\nsecond",)), (5, ("third",))]),
        ("paragraph", "line", [(1, ("first line", "second")), (5, ("third",))]),
        ("file", "document", [(1, ("first line\r\nsecond\n\n \t\nthird",))]),
        ("file", "paragraph", [(1, ("first line\r\nsecond", "third"))]),
        ("file", "line", [(1, ("first line", "second", "third"))]),
    ],
)
def test_a_document_is_a_line_a_paragraph_or_a_file(document: str | None, segment: str, expected: object) -> None:
    records = read(TEXT, "text", document=document, segment=segment)
    assert [(record.line, record.segments) for record in records] == expected


@pytest.mark.parametrize("document", ["line", "paragraph", "file"])
def test_empty_and_blank_files_have_no_documents(document: str) -> None:
    assert read(b"", "text", document=document) == read(b"\n \r\n\t", "text", document=document) == []
    assert read(b"\xef\xbb\xbf", "text", document=document) == []


def test_bad_lines_report_their_offset() -> None:
    data = b"good\ncaf\xe9\na\0b\n\xc2\xa0\ngood"
    assert outcomes(read(data, "text")) == [
        ("good",),
        (2, "invalid UTF-8: 0xe9 at byte 3 of the record"),
        (3, "NUL byte: at character 1 of the text"),
        (4, "no text"),
        ("good",),
    ]
    assert outcomes(read(data, "text", encoding_errors="replace"))[1] == ("caf\ufffd",)
    assert read(data, "text")[1].record == "caf\\xe9"


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        *[(name, name) for name in ("utf-16", "utf-16-be", "utf-32", "latin-1", "cp037")],
        *[("utf-16", "utf-16-le"), ("UTF8", "utf-8-sig")],
    ],
)
def test_other_encodings(encoding, written):
    # U+0A0A and U+0D0A have the bytes of line ends in UTF-16.
    wide = "\u0a0a\u0d0a" if written.startswith("utf") else "\xe9"
    records = read(f"one {wide}\r\n\ntwo\n".encode(written), "text", encoding=encoding)
    assert [(record.line, record.segments) for record in records] == [(1, (f"one {wide}",)), (3, ("two",))]


def test_invalid_bytes_of_other_encodings() -> None:
    bad = (2, "invalid CP1252: 0x81 at byte 0 of the record")
    assert outcomes(read(b"a\n\x81\n", "text", encoding="cp1252")) == [("a",), bad]
    split = "good\nx".encode("utf-16-le") + b"\x00\xd8\n\x00y\x00\n\x00z"
    assert outcomes(read(split, "text", encoding="utf-16-le")) == [
        ("good",),
        (2, "invalid UTF-16-LE: 0x00 at byte 2 of the record"),
        ("y",),
        (4, "invalid UTF-16-LE: 0x7a at byte 0 of the record"),
    ]


def test_a_foreign_byte_order_mark_is_an_error() -> None:
    for format in ("text", "jsonl", "json", "conll", "csv"):
        for encoding in ("utf-16", "utf-32"):
            with pytest.raises(JobError, match=f"(?s)not UTF-8.*corpus.encoding: {encoding}"):
                read("a\nb\n".encode(encoding), format)


def test_a_line_of_ten_megabytes_is_a_document() -> None:
    long = "word " * (2 << 20)
    assert outcomes(read(f"a\n{long}\nb".encode(), "text")) == [("a",), (long,), ("b",)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_only_a_record_over_the_limit_is_lost(monkeypatch: pytest.MonkeyPatch, encoding: str, chunk: int) -> None:
    for module in (documents, lines, text_reader):
        monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", 20)
    monkeypatch.setattr(lines, "_CHUNK_BYTES", chunk)
    data = ("a\n" + "long " * 100 + "\nb\n" + "x" * 9 + "\n" + "y" * 60).encode(encoding)
    reason = "record too long: more than 0 MiB"
    assert outcomes(read(data, "text", encoding=encoding)) == [("a",), (2, reason), ("b",), ("x" * 9,), (5, reason)]
    data = ("a\n\n" + "long\n" * 100 + "\nb\n").encode(encoding)
    assert outcomes(read(data, "text", encoding=encoding, document="paragraph")) == [("a",), (3, reason), ("b",)]
    assert outcomes(read(data, "text", encoding=encoding, document="file")) == [(1, reason)]
