import csv
import gzip
import io
import json
import random
from pathlib import Path

import pytest

from components.corpus_example_gen.documents import BadRecord, Document, Part, Record
from components.corpus_example_gen.inputs.files import require_files
from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError


def corpus(**values: object) -> CorpusSettings:
    return CorpusSettings.model_validate({"path": "x", **values})


@pytest.mark.parametrize(
    ("name", "values", "count"),
    [
        ("a.txt", {"format": "text"}, 4),
        ("a.txt", {"format": "text", "encoding": "cp1252"}, 4),
        ("a.txt", {"format": "text", "encoding": "utf-16"}, 1),
        ("a.txt", {"format": "text", "document": "paragraph"}, 4),
        ("a.txt", {"format": "text", "document": "file"}, 1),
        ("a.txt.gz", {"format": "text"}, 1),
        ("a.jsonl", {"format": "jsonl"}, 4),
        ("a.conll", {"format": "conll"}, 4),
        ("a.parquet", {"format": "parquet"}, 4),
        ("a.csv", {"format": "csv"}, 1),
        ("a.tsv", {"format": "tsv"}, 1),
        ("a.json", {"format": "json"}, 1),
        ("a.tfrecord", {"format": "tf_example"}, 1),
        ("a.tfrecord", {"format": "tf_sequence_example"}, 1),
    ],
)
def test_which_files_are_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, values: dict[str, object], count: int
) -> None:
    monkeypatch.setattr(formats, "PART_BYTES", 100)
    (tmp_path / name).write_bytes(b"x" * 350)
    (file,) = require_files(str(tmp_path / name))
    parts = formats.parts(file, corpus(**values))
    starts = [100 * number for number in range(count)]
    assert parts == [Part(file.path, *ends) for ends in zip(starts, [*starts[1:], None], strict=True)]
    (tmp_path / name).write_bytes(b"")
    (empty,) = require_files(str(tmp_path / name))
    assert formats.parts(empty, corpus(**values)) == [Part(file.path)]


def test_bad_records_of_a_later_part_have_their_line_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"text": "a"}\n\n' * 50 + b"broken\n" + b'{"text": "b"}\n')
    settings = corpus(format="jsonl")
    part = Part(str(file), 740)
    bad, good = list(formats.read(part, settings))
    assert (bad.line, bad.reason) == (101, "broken JSON: Expecting value at character 0")
    assert good.line + formats.lines_before(part, settings) == 102
    assert formats.lines_before(Part(str(file)), settings) == 0


def test_compressed_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(b'text\tat\n"a\tb\nc"\tweb\nbroken\n'))
    good, bad = formats.read(Part(str(tmp_path / "a.tsv.gz")), corpus(format="tsv", source="at"))
    assert (good.segments, good.source) == (("a\tb\nc",), "web")
    assert bad.reason == "wrong number of columns: 1, the header has 2"
    (tmp_path / "torn.csv.gz").write_bytes(
        gzip.compress(b"text\n" + random.Random(1).randbytes(9999).hex().encode())[:-9]
    )
    with pytest.raises(JobError, match="cannot be read"):
        list(formats.read(Part(str(tmp_path / "torn.csv.gz")), corpus(format="csv")))


@pytest.mark.parametrize("format", formats.READERS)
def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path, format: str) -> None:
    with pytest.raises(JobError, match=r"(?s)cannot be read.*found: a folder"):
        list(formats.read(Part(str(tmp_path)), corpus(format=format)))


def test_a_column_gives_the_split(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,part\na,train\nb,validation\nc,dev\nd,eval\ne,\n")
    settings = corpus(format="csv", split="part", split_values={"validation": "eval"})
    records = list(formats.read(Part(str(file)), settings))
    assert [record.split for record in records if isinstance(record, Document)] == ["train", "eval", "eval"]
    assert [record.reason for record in records if isinstance(record, BadRecord)] == [
        "unknown split: 'dev', allowed are 'train', 'eval', 'test', 'validation'",
        "no split: 'part' is empty",
    ]


def write_csv(texts: list[str | bytes]) -> bytes:
    file = io.StringIO(newline="")
    lines = []
    for text in texts:
        if isinstance(text, str):
            csv.writer(file, quoting=csv.QUOTE_ALL).writerow([text, "1"])
            lines.append(file.getvalue().encode())
            file.seek(0)
            file.truncate()
        else:
            lines.append(text)
    return b"text,label\n" + b"".join(lines)


def write_jsonl(texts: list[str | bytes]) -> bytes:
    lines = [
        json.dumps({"text": text, "label": 1}).encode() + b"\n" if isinstance(text, str) else text for text in texts
    ]
    return b"".join(lines)


BROKEN_CSV = [b'"open,1\n', b'"a" b,1\n', b"a,b,1\n", b"a\n", b"caf\xe9,1\n", b"a\0,1\n", b",1\n", b"a,2\n", b"a,\n"]
BROKEN_JSONL = [b'{"text": "a"\n', b"[1]\n", b'{"text": 1, "label": 1}\n', b'{"text": "\xff", "label": 1}\n', b"{}\n"]


@pytest.mark.parametrize(
    ("format", "write", "broken"), [("csv", write_csv, BROKEN_CSV), ("jsonl", write_jsonl, BROKEN_JSONL)]
)
def test_a_thousand_broken_records_cost_none_of_twenty_thousand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, write: object, broken: list[bytes]
) -> None:
    monkeypatch.setattr(formats, "PART_BYTES", 100_000)
    made = random.Random(3)
    good = [f'{number} "quoted", caf\xe9\n{made.random()}' for number in range(20_000)]
    items: list[str | bytes] = [*good, *(made.choice(broken) for _ in range(1_000))]
    made.shuffle(items)
    (tmp_path / "a").write_bytes(write(items))
    (file,) = require_files(str(tmp_path / "a"))
    settings = corpus(format=format, label="label", labels=["1", "0"])
    records: list[Record] = [
        record for part in formats.parts(file, settings) for record in formats.read(part, settings)
    ]
    assert ["".join(record.segments) for record in records if isinstance(record, Document)] == [
        item for item in items if isinstance(item, str)
    ]
    bad = [record for record in records if isinstance(record, BadRecord)]
    assert len(bad) == 1_000
    lines = (tmp_path / "a").read_bytes().split(b"\n")
    assert all(lines[record.line - 1] + b"\n" in broken for record in bad)
