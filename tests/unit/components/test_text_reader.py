import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.corpus_example_gen import documents
from components.corpus_example_gen.readers import lines, text_reader
from tests.unit.components.corpus_records import fields_or_reasons, outcomes, read
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


@pytest.mark.parametrize("document", ["paragraph", "file"])
def test_short_lines_take_little_memory(document: str) -> None:
    data = b"a\n" * (2 << 20)
    tracemalloc.start()
    try:
        (record,) = read(data, "text", document=document)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert record.segments == (data.decode().rstrip(),)
    assert peak < 60 << 20


@pytest.mark.parametrize("document", ["line", "paragraph", "file"])
def test_the_folder_of_a_file_may_be_its_label(tmp_path: Path, document: str) -> None:
    for folder in ("neg", "pos", "sci.med"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0_1").write_text("one\n\ntwo")
    for folder, path in ((path.parent.name, path) for path in tmp_path.glob("*/*")):
        records = read(path, "text", document=document, label="folder")
        assert {(record.label, record.source) for record in records} == {(folder, f"{folder}/0_1")}
        assert len(records) == (1 if document == "file" else 2)
        labels = {"neg": "bad", "pos": "good"}
        found = fields_or_reasons(read(path, "text", document=document, label="folder", labels=labels), "label")
        assert set(found) == {labels.get(folder, "unknown label: 'sci.med', allowed are 'neg', 'pos'")}
    (record,) = read(tmp_path / "pos" / "0_1", "text", document="file", label="folder", multi_label=True)
    assert (record.label, record.labels) == (None, ("pos",))
    assert read(b"a", "text")[0].source == "corpus"


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_column_may_be_named_folder(format: str) -> None:
    data = {"csv": "text,folder\na,x\n", "jsonl": '{"text": "a", "folder": "x"}'}[format]
    (record,) = read(data, format, label="folder")
    assert (record.label, record.source) == ("x", "corpus")


def test_fasttext_labels() -> None:
    data = (
        b"\xef\xbb\xbf__label__pos good  film\r\n\n__label__a\t__label__b __label__a x\nplain words\n"
        b"the __label__neg film __label__neg __labels\n__label__ x\n__label__a\n"
        b"x__label__a __label__\xc3\xa9\xc2\xa0b c"
    )
    records = read(data, "fasttext")
    assert outcomes(records) == [
        ("good  film",),
        (3, "several labels: 'a', 'b'; set corpus.multi_label: true"),
        (4, "no label: no word starts with __label__"),
        ("the film __labels",),
        (6, "no label: '__label__' is empty"),
        (7, "no text"),
        ("x__label__a c",),
    ]
    assert [record.label for record in records if hasattr(record, "label")] == ["pos", "neg", "\xe9\xa0b"]
    several = read(data, "fasttext", multi_label=True)
    assert fields_or_reasons(several, "labels") == [
        *(("pos",), ("a", "b"), (), ("neg",), "no label: a label in '__label__' is empty", "no text", ("\xe9\xa0b",)),
    ]
    renamed = read(data, "fasttext", multi_label=True, labels={"b": "B", "a": "A", "pos": "A"})
    assert fields_or_reasons(renamed, "labels")[:3] == [("A",), ("B", "A"), ()]


WORDS = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1)
MARKED = st.lists(st.tuples(st.booleans(), WORDS), min_size=1)


@given(st.lists(MARKED), st.sampled_from([" ", "\t", "  ", " \v\f"]))
def test_fasttext_lines_round_trip(documents: list[list[tuple[bool, str]]], blank: str) -> None:
    # As fastText's Dictionary::getLine: each word of the line is a label or not.
    kept = [line for line in documents if any(not is_label for is_label, _ in line)]
    lines = [blank.join(f"__label__{word}" if is_label else f"x{word}" for is_label, word in line) for line in kept]
    records = read("\n".join(lines), "fasttext", multi_label=True)
    assert [(record.labels, record.segments[0].split()) for record in records] == [
        (
            tuple(sorted({word for is_label, word in line if is_label})),
            [f"x{word}" for is_label, word in line if not is_label],
        )
        for line in kept
    ]
