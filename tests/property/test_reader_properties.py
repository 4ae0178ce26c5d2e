import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.corpus_example_gen.documents import BadRecord, Document, Part, Record
from tests.unit.components.corpus_records import corpus, read, read_parts

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.text(CHARACTERS).filter(lambda text: text and not text.isspace())
LINES = TEXTS.map(lambda text: text.replace("\n", " ").strip("\r\n")).filter(lambda text: text and not text.isspace())
TOKENS = st.text(st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=1)
SENTENCES = st.lists(st.tuples(TOKENS, TOKENS), min_size=1)


def segments(records: list[Record]) -> list[str | None]:
    return ["".join(record.segments) if isinstance(record, Document) else None for record in records]


@given(st.lists(LINES), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["utf-8", "utf-16", "utf-32-be", "utf-8-sig"]))
def test_lines_round_trip(lines: list[str], end: str, encoding: str) -> None:
    data = end.join(lines).encode(encoding)
    assert segments(read(data, format="text", encoding=encoding)) == lines


@given(st.lists(st.lists(LINES.filter(str.strip), min_size=1), min_size=1), st.integers(1, 3))
def test_paragraphs_round_trip(paragraphs: list[list[str]], gap: int) -> None:
    texts = ["\n".join(lines) for lines in paragraphs]
    data = ("\n" + "  \n" * gap).join(texts).encode()
    assert segments(read(data, format="text", document="paragraph")) == texts
    (whole,) = read(data, format="text", document="file", segment="paragraph")
    assert [piece for piece in whole.segments if piece.strip()] == list(whole.segments)


@given(st.lists(SENTENCES), st.sampled_from([" ", "\t", "\t x "]), st.booleans())
def test_sentences_round_trip(sentences: list, between: str, starts: bool) -> None:
    marks = "-DOCSTART- -X- O\n\n" if starts else ""
    kept = [[pair for pair in sentence if not pair[0].startswith("-DOCSTART-")] for sentence in sentences]
    data = marks + "\n".join("".join(f"{token}{between}{tag}\n" for token, tag in rows) for rows in kept)
    records = read(data, format="conll")
    assert [list(zip(record.tokens, record.tags, strict=True)) for record in records] == [rows for rows in kept if rows]


BROKEN_LINE = st.sampled_from([b"\xff", b"a\xed\xa0\x80", b"nul \0 byte"])


@given(st.lists(st.one_of(LINES, BROKEN_LINE)))
def test_broken_lines_lose_no_good_record(items: list[str | bytes]) -> None:
    data = b"\n".join(item.encode() if isinstance(item, str) else item for item in items)
    expected = [item if isinstance(item, str) else None for item in items]
    assert segments(read(data, format="text")) == expected
    assert len(read(data, format="text", encoding_errors="replace")) == len(items)


BROKEN_SENTENCE = st.sampled_from([b"alone\n", b"a B-X\nb\n", b"a x O\nb O\n", b"\xff O\n", b"a\0 O\n"])


@given(st.lists(st.one_of(SENTENCES, BROKEN_SENTENCE)))
def test_broken_sentences_lose_no_good_one(items: list) -> None:
    blocks = [
        item if isinstance(item, bytes) else "".join(f"{token} {tag}\n" for token, tag in item).encode()
        for item in items
        if isinstance(item, bytes) or not any(token.startswith("-DOCSTART-") for token, _ in item)
    ]
    records = read(b"\n".join(blocks), format="conll")
    assert [isinstance(record, BadRecord) for record in records] == [
        b" " not in block or block in (b"a B-X\nb\n", b"a x O\nb O\n", b"\xff O\n", b"a\0 O\n") for block in blocks
    ]


NO_DOCUMENT = st.sampled_from([b'{"text": 1}', b'{"text": "\\ud800"}', b"{}", b"[[]]", b"7", b'{"text": "\xff"}'])
BREAK = st.sampled_from([b"", b'{"text": "a', b'{"text": a}', b'{"text": "a"}}', b'{"text": "a" "b"}', b"]]", b"{\0}"])


@given(st.lists(st.one_of(TEXTS, NO_DOCUMENT)), BREAK, st.sampled_from(["\n", "\n  ", "\r\n\t"]))
def test_elements_before_a_syntax_error_are_read(items: list[str | bytes], broken: bytes, before: str) -> None:
    lines = [json.dumps({"text": item}).encode() if isinstance(item, str) else item for item in items]
    data = b"[" + b"".join(before.encode() + line + b"," for line in lines)
    records = read(data + before.encode() + broken, format="json")
    expected = [item if isinstance(item, str) else None for item in items]
    # The first brace of {"text": "a"}} closes a complete element.
    assert segments(records) == [*expected, *(["a"] if broken.endswith(b"}}") else []), None]
    at = int(re.search(r"byte ([0-9,]+)", records[-1].reason)[1].replace(",", ""))
    assert len(data) < at <= len(data + before.encode() + broken)


@given(st.lists(TEXTS), st.sampled_from([None, 1]), st.sampled_from(["utf-8", "utf-16", "utf-16-be", "latin-1"]))
def test_arrays_round_trip(texts: list[str], indent: int | None, encoding: str) -> None:
    data = json.dumps([{"text": text, "n": {"m": [1, "]"]}} for text in texts], indent=indent)
    records = read(data.encode(encoding), format="json", encoding=encoding)
    assert segments(records) == texts
    if indent:
        assert [record.line for record in records] == [2 + 9 * number for number in range(len(texts))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parts")


FORMATS: dict[str, dict[str, object]] = {
    "line": {"format": "text"},
    "paragraph": {"format": "text", "document": "paragraph"},
    "jsonl": {"format": "jsonl"},
    "fasttext": {"format": "fasttext"},
    "conll": {"format": "conll"},
}
PIECES = st.sampled_from(
    [
        b"\n",
        b"\n\n",
        b" \n",
        b"\r\n",
        b"a O\n",
        b'{"text": "b"}\n',
        b"word",
        b"caf\xc3\xa9 B-X\n",
        b"\xff\n",
        b"#",
        b"__label__a ",
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=30).map(b"".join), st.lists(st.integers(0, 120)), st.sampled_from(list(FORMATS)))
def test_parts_have_the_records_of_the_whole_file(folder: Path, data: bytes, cuts: list[int], form: str) -> None:
    file = folder / form
    file.write_bytes(data)
    starts = sorted({0, *(cut for cut in cuts if cut < len(data))})
    parts = [Part(str(file), *ends) for ends in zip(starts, [*starts[1:], None], strict=True)]
    assert read_parts(parts, corpus(**FORMATS[form])) == read(file, **FORMATS[form])
