import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.inputs.files import require_files
from components.corpus_example_gen.readers import formats
from tests.unit.components.corpus_records import corpus, outcomes, read, read_parts
from trainer.errors import JobError


def written(columns: dict[str, object], **options: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def test_columns_of_all_types_and_lists_of_segments() -> None:
    data = written(
        {
            "text": pa.array(["a", "b"]).dictionary_encode(),
            "n": pa.array([1, 0], pa.int8()),
            "at": pa.array([b"web", b"caf\xc3\xa9"]),
            "key": pa.array([1.5, 2.0], pa.float32()),
            "other": pa.array([[{"x": 1}], None]),
        }
    )
    records = read(data, "parquet", label="n", labels={0: "no", 1: "yes"}, source="at", id="key")
    assert records == [Document(("a",), "yes", "web", "1.5", 1), Document(("b",), "no", "caf\xe9", "2.0", 2)]
    # Lists are segments.
    data = written({"text": pa.array([["a", "b c", " ", None], []])})
    assert outcomes(read(data, "parquet")) == [("a", "b c"), (2, "no text")]


def test_bad_rows_report_their_number() -> None:
    invalid = pa.array([b"good", b"a\xff", b"a\0", None, b"x"]).view(pa.string())
    data = written({"text": invalid, "label": pa.array(["p", "p", "p", "p", None])})
    records = read(data, "parquet", label="label")
    assert outcomes(records) == [
        ("good",),
        (2, "invalid UTF-8: 0xff at byte 1 of the record"),
        (3, "NUL byte: at character 1 of the text"),
        (4, "no text"),
        (5, "no label: 'label' is empty"),
    ]
    assert [record.record for record in records[1:]] == [
        '{"text": "a\\\\xff", "label": "p"}', '{"text": "a\\u0000", "label": "p"}', '{"text": null, "label": "p"}',
        '{"text": "x", "label": null}',
    ]  # fmt: skip
    assert outcomes(read(data, "parquet", encoding_errors="replace"))[1] == ("a\ufffd",)
    numbers = written({"text": pa.array([1])})
    assert outcomes(read(numbers, "parquet")) == [(1, "text is not a string: found a number")]


def test_values_that_python_cannot_hold_cost_their_row_alone() -> None:
    data = written(
        {
            "text": pa.array(["a", "b", "c"]),
            "when": pa.array([0, 1 << 62, 86_400_000_000], pa.timestamp("us")),
            "number": pa.array([0.5, 1.0, float("nan")]),
        }
    )
    good, bad, other = read(data, "parquet", source="when")
    assert (good.source, other.source) == ("1970-01-01 00:00:00", "1970-01-02 00:00:00")
    assert (bad.line, bad.category) == (2, "source is out of range")
    assert outcomes(read(data, "parquet", label="number"))[2] == (3, "no label: 'number' is empty")
    nested = written({"text": pa.array([[["a"]], [["b", "c"]]])})
    assert outcomes(read(nested, "parquet"))[0] == (1, "text is not a string: found a list")
    strings = pa.array([b"a", b"\xff", b"b"]).view(pa.string())
    invalid = written({"text": pa.ListArray.from_arrays([0, 2, 3], strings)})
    assert outcomes(read(invalid, "parquet")) == [(1, "invalid UTF-8: 0xff at byte 0 of the record"), ("b",)]


def test_unreadable_files_and_missing_columns_are_errors() -> None:
    data = written({"text": ["a" * 1000], "label": ["b"]}, compression="none", use_dictionary=False)
    with pytest.raises(JobError, match=r"(?s)'txt'.*missing in a Parquet file.*Did you mean 'text'"):
        read(data, "parquet", text="txt")
    for broken in (b"", b"no parquet", data[:-9]):
        with pytest.raises(JobError, match="A Parquet file cannot be read"):
            read(broken, "parquet")
    with pytest.raises(JobError, match=r"(?s)A Parquet file cannot be read.*row group 0"):
        read(b"PAR1" + b"\xff" * 60 + data[64:], "parquet")


def test_row_groups_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [None if number % 10 == 3 else f"text {number} " * 20 for number in range(100)]
    (tmp_path / "a.parquet").write_bytes(written({"n": list(range(100)), "text": texts}, row_group_size=7))
    (file,) = require_files(str(tmp_path / "a.parquet"))
    settings = corpus("parquet", id="n")
    whole = read(tmp_path / "a.parquet", "parquet", id="n")
    assert [record.line for record in whole] == list(range(1, 101))
    for size in (1, 100, 1001, file.size - 1, file.size):
        monkeypatch.setattr(formats, "PART_BYTES", max(size, file.size // 50))
        parts = formats.parts(file, settings)
        assert len(parts) == -(-file.size // max(size, file.size // 50))
        assert read_parts(parts, settings) == whole
