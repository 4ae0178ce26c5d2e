import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.readers.delimited.record_lines import MAX_RECORD_BYTES
from tests.unit.components.corpus_records import fields_or_reasons, outcomes, read
from trainer.errors import JobError

LABELLED = {"label": "label", "labels": {"0": "negative", "1": "positive"}}
GOOD = b"good,1\n"
WIDTH = "wrong number of columns: {}, the header has 2"
MISSING = (b"NaN", b"Infinity", b"-Infinity")
"""How Python's json and pandas write missing numbers."""
QUOTE = "text after a closing quote: quotes within a quoted field must be doubled"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a,1,x\n", WIDTH.format(3)),
        (b"alone\n", WIDTH.format(1)),
        (b",1\n", "no text"),
        (b" \t\xc2\xa0,1\n", "no text"),
        (b"a,\n", "no label: 'label' is empty"),
        (b"a,2\n", "unknown label: '2', allowed are '0', '1'"),
        (b"a,\xff\n", "invalid UTF-8: 0xff at byte 2 of the record"),
        (b"caf\xe9,1\n", "invalid UTF-8: 0xe9 at byte 3 of the record"),
        (b"\xed\xa0\x80,1\n", "invalid UTF-8: 0xed at byte 0 of the record"),
        (b"a\0b,1\n", "NUL byte: at byte 1 of the record"),
        (b'"a"b,1\n', QUOTE),
        (b'"a,1\n', QUOTE),
        (b"a\rb,1\n", "carriage return in an unquoted field"),
    ],
)
def test_csv_quarantines_only_the_broken_line(line: bytes, reason: str) -> None:
    records = read(b"text,label\n" + GOOD + line + b'"quoted, too",0\n' + GOOD, "csv", **LABELLED)
    assert outcomes(records) == [("good",), (3, reason), ("quoted, too",), ("good",)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'a,1\n"b,1\nc,1\n\nd,0\n', [(2, "a"), (3, "quote never closed"), (4, "c"), (6, "d")]),
        (b'"b,1\nc,1\n"\nd,1\n', [(2, WIDTH.format(1)), (3, "c"), (4, "quote never closed"), (5, "d")]),
        (
            b'"b\nc,1\n",7\n"x\n\xff",1\nd,1\n',
            [
                (2, "unknown label: '7', allowed are '0', '1'"),
                (5, "invalid UTF-8: 0xff at byte 3 of the record"),
                (7, "d"),
            ],
        ),
        (
            b'"two\r\nlines, ""quoted""",1\r\n\r\n   \r\n5" disk,0\r\nlast,1',
            [(2, 'two\r\nlines, "quoted"'), (6, '5" disk'), (7, "last")],
        ),
    ],
)
def test_csv_quotes_and_line_ends(data: bytes, expected: list[tuple[int, str]]) -> None:
    records = read(b"\xef\xbb\xbftext,label\r\n" + data, "csv", **LABELLED)
    assert [(r.line, r.segments[0] if isinstance(r, Document) else r.reason) for r in records] == expected


def test_long_csv_files_and_fields_are_read() -> None:
    long = b"x" * 1000 + b",1\n"
    lines = MAX_RECORD_BYTES // len(long) + 100
    records = read(b'text,label\n"b,1\n' + long * lines + b'"q, r",1\n', "csv", **LABELLED)
    assert outcomes(records) == [(2, "quote never closed"), *[("x" * 1000,)] * lines, ("q, r",)]
    long_field = "word " * 50_000
    assert outcomes(read(f'text\n"{long_field}"\n', "csv")) == [(long_field,)]


@given(st.lists(st.text(st.characters(exclude_characters="\t\r\n\0", exclude_categories=["Cs"]), min_size=1)))
def test_a_tsv_line_is_a_record_whatever_its_quotes(texts: list[str]) -> None:
    texts = [f"x{text}" for text in texts]
    records = read("text\tnumber\n" + "".join(f"{text}\t{n}\n" for n, text in enumerate(texts)), "tsv", id="number")
    assert [(record.segments, record.id) for record in records] == [((text,), str(n)) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("data", "format", "values", "expected"),
    [
        ('text\tlabel\n"a\nb"\t1\n', "tsv", {"quoting": "minimal"}, [("a\nb",)]),
        ('text,label\n"a,1\n', "csv", {"quoting": "none"}, [('"a',)]),
        ('text,label\n"say \\"a, b\\"",1\n', "csv", {"escape": "\\"}, [('say "a, b"',)]),
        ('text, label\n"a, b", 1\n', "csv", {"skip_blanks": True}, [("a, b",)]),
        (
            *('label, text\n0, "a"\n1, b\n', "csv", {"text": " text"}),
            [(2, "blank before a quote: set corpus.skip_blanks: true, and remove blanks from names"), (" b",)],
        ),
        ('label,text\n0, "a"\n', "csv", {}, [(' "a"',)]),
        ("1,a\nc\n", "csv", {"header": ["label", "text"]}, [("a",), (2, "wrong number of columns: 1, expected 2")]),
        ('\n0,"a\nb"\n1,c\n', "csv", {"header": False, "text": 2, "label": 1}, [("a\nb",), ("c",)]),
    ],
)
def test_csv_dialects_and_files_without_a_header(data, format, values, expected) -> None:
    records = read(data, format, **{**LABELLED, **values})
    assert outcomes(records) == expected
    assert [record.lines for record in records if isinstance(record, Document)] == [
        1 + record[0].count("\n") for record in expected if isinstance(record[0], str)
    ]


@pytest.mark.parametrize(("format", "mark"), [("csv", ","), ("tsv", "\t")])
def test_short_rows_lack_their_last_columns_if_allowed(format: str, mark: str) -> None:
    data = (
        mark.join(("text", "n", "at"))
        + "\na\n \n"
        + mark.join("b1")
        + "\n"
        + mark.join("c1xy")
        + "\n"
        + mark.join("d1x")
    )
    width = "wrong number of columns: {}, the header has 3"
    assert outcomes(read(data, format)) == [
        *((2, width.format(1)), (4, width.format(2)), (5, width.format(4)), ("d",)),
    ]
    assert outcomes(read(data, format, short_rows=True)) == [("a",), ("b",), (5, width.format(4)), ("d",)]
    assert outcomes(read(data, format, short_rows=True, label="n", source="at")) == [
        (2, "no label: 'n' is empty"),
        (4, "no source: 'at' is empty"),
        *((5, width.format(4)), ("d",)),
    ]


ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
"""What PostgreSQL's COPY TO writes for characters."""
ESCAPED = st.text(st.sampled_from([*ESCAPES, *'nNtr0"x é']), min_size=1).map(lambda text: f"x{text}")


@given(st.lists(st.tuples(ESCAPED, ESCAPED | st.none())))
def test_escapes_of_databases_round_trip_in_tsv(rows: list[tuple[str, str | None]]) -> None:
    def encoded(text: str | None) -> str:
        return "\\N" if text is None else "".join(ESCAPES.get(char, char) for char in text)

    data = "".join(f"{encoded(key)}\t{encoded(text)}\n" for key, text in rows)
    records = read(data, "tsv", header=["key", "text"], id="key", escape="\\")
    assert fields_or_reasons(records, "segments") == ["no text" if text is None else (text,) for _, text in rows]
    assert [record.id for record in records if isinstance(record, Document)] == [
        key for key, text in rows if text is not None
    ]


def test_escapes_as_mysql_writes_them_to_a_file() -> None:
    # SELECT ... INTO OUTFILE puts the backslash before the character itself, except for NUL.
    data = "k\ttext\n1\ta\\\nb\\\tc\\\\d\n2\t\\N\n3\tx\\0y\n4\t\\\\N\n"
    assert outcomes(read(data, "tsv", escape="\\")) == [
        *(("a\nb\tc\\d",), (4, "no text"), (5, "NUL byte: in an escape"), ("\\N",)),
    ]
    assert outcomes(read("text\na\\nb\n", "tsv")) == [("a\\nb",)]
    assert outcomes(read("text\na\\nb\n", "csv", escape="\\")) == [("anb",)]


def test_documents_have_class_name_source_and_id() -> None:
    (record,) = read("key,from,text,label,other\nk1,web,Hello, 1 ,z\n", "csv", id="key", source="from", **LABELLED)
    assert record == Document(("Hello",), "positive", "web", "k1", 2)
    digest = hashlib.blake2b("Héllo".encode(), digest_size=16).hexdigest()
    assert read("text\nHéllo\n", "csv") == [Document(("Héllo",), None, "corpus", digest, 2)]
    assert outcomes(read("text,label\nHello,any\n", "csv", label="label"), "label") == ["any"]
    data = "text\tfrom\tkey\na,b\tweb\t1\nc\t\t2\nd\tweb\t\n"
    assert outcomes(read(data, "csv", delimiter="\t", source="from", id="key")) == [
        ("a,b",),
        (3, "no source: 'from' is empty"),
        (4, "no id: 'key' is empty"),
    ]


@pytest.mark.parametrize(
    ("data", "values", "parts"),
    [
        (b"a text,1\n", {}, ["'text' (corpus.text) is missing", "Is there a header row?"]),
        (b"a,1\n", {"header": False}, ["corpus.header", "the columns '1', '2'"]),
        (b"txt,label\na,1\n", {}, ["'text' (corpus.text) is missing", "/data/corpus", "'txt'", "Did you mean"]),
        (b"a;b\nx;y\n", {}, ["the columns 'a;b'", "corpus.delimiter"]),
        (b"text,text\na,b\n", {}, ["is ambiguous"]),
        (b"text\na\n", {"label": "label"}, ["'label' (corpus.label) is missing"]),
        ("text\na\n".encode("utf-16"), {}, ["not UTF-8", "UTF-16 byte order mark", "iconv"]),
        (b"te\xffxt\na\n", {}, ["header row", "line 1", "invalid UTF-8: 0xff at byte 2"]),
        (b'"text\na\n', {}, ["header row", "quote never closed"]),
        (b"text\ra\rb\r", {}, ["header row", "carriage return"]),
    ],
)
def test_unusable_csv_headers_are_errors(data: bytes, values: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(JobError) as error:
        read(data, "csv", **values)
    assert [part for part in parts if part not in str(error.value)] == []


@pytest.mark.parametrize(("format", "data"), [("csv", b"text\n"), ("csv", b"\n\n"), ("jsonl", b"\n  \r\n")])
def test_empty_files_have_no_records(format: str, data: bytes) -> None:
    assert read(b"", format) == read(data, format) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "a", "label": 1', "broken JSON: Expecting ',' delimiter at character 25"),
        (
            b"[" * 100_000,
            "broken JSON: maximum recursion depth exceeded while decoding a JSON array from a unicode string",
        ),
        (b'["a", 1]', "not an object: found a list"),
        (
            b'[{"text": "a"}]',
            "not an object: found a list of objects; if the file is a JSON array, set corpus.format: json",
        ),
        (
            b'[{"text": "a"}',
            "broken JSON: Expecting ',' delimiter at character 15;"
            " if the file is a JSON array, set corpus.format: json",
        ),
        (b"null", "not an object: found null"),
        (b'{"txt": "a", "label": 1}', "no text: no key 'text' among 'txt', 'label'"),
        (b'{"text": null, "label": 1}', "no text"),
        (b'{"text": " \\n ", "label": 1}', "no text"),
        (b'{"text": 5, "label": 1}', "text is not a string: found a number"),
        (b'{"text": [["a"]], "label": 1}', "text is not a string: found a list"),
        (b'{"text": "a"}', "no label: no key 'label' among 'text'"),
        *((b'{"text": "a", "label": %s}' % value, "no label: 'label' is empty") for value in (b"null", *MISSING)),
        *((b'{"text": %s, "label": 1}' % value, "no text") for value in MISSING),
        (b'{"text": "a", "label": {}}', "label is not a string: found an object"),
        (b'{"text": "a", "label": 1.0}', "unknown label: '1.0', allowed are '0', '1'"),
        (b'{"text": "a", "label": "\\ud800"}', "unknown label: '\\ud800', allowed are '0', '1'"),
        (b'{"text": "ab\\ud800", "label": 1}', "lone surrogate: \\ud800 at character 2 is half of a UTF-16 pair"),
        (b'{"text": "\xff", "label": 1}', "invalid UTF-8: 0xff at byte 10 of the record"),
        (b'\0{"text": "a", "label": 1}', "broken JSON: Expecting value at character 0"),
    ],
)
def test_jsonl_quarantines_the_broken_line(line: bytes, reason: str) -> None:
    good = b'{"text": "good", "label": 1}\r\n'
    records = read(good + b"\n" + line + b"\n" + good, "jsonl", **LABELLED)
    assert outcomes(records) == [("good",), (3, reason), ("good",)]


def test_jsonl_converts_numbers_and_booleans() -> None:
    data = b'\xef\xbb\xbf{"text": "\\ud83d\\ude00", "label": true, "key": 12, "from": 1.5}'
    (record,) = read(data, "jsonl", label="label", labels={True: "yes", False: "no"}, id="key", source="from")
    assert record == Document(("\N{GRINNING FACE}",), "yes", "1.5", "12", 1)


@pytest.mark.parametrize("key", ["id", "source"])
def test_jsonl_id_and_source_must_be_scalars(key: str) -> None:
    records = read('{"text": "a"}\n{"text": "a", "k": []}\n{"text": "a", "k": "\\udc00"}\n', "jsonl", **{key: "k"})
    assert [record.category for record in records] == [f"no {key}", f"{key} is not a string", "lone surrogate"]


def test_excerpts_are_short_and_valid() -> None:
    (record,) = read(b'{"text": ' + b"\xff" * 300 + b"\n", "jsonl")
    assert record.record == ('{"text": ' + "\\xff" * 300)[:200]
