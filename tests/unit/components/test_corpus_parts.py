import gzip
import random
from pathlib import Path

import pytest

from components.corpus_example_gen.documents import Part
from components.corpus_example_gen.inputs.files import require_files
from components.corpus_example_gen.readers import formats
from tests.unit.components.corpus_records import corpus, fields_or_reasons, outcomes, read


@pytest.mark.parametrize(
    ("name", "values", "count"),
    [
        ("a.txt", {"format": "text"}, 4),
        ("a.txt", {"format": "text", "encoding": "cp1252"}, 4),
        ("a.txt", {"format": "text", "encoding": "utf-16"}, 1),
        ("a.txt", {"format": "text", "document": "paragraph"}, 4),
        ("a.txt", {"format": "text", "document": "file"}, 1),
        ("a.txt.gz", {"format": "text"}, 1),
        *((f"a.{name}", {"format": name}, 4) for name in ("jsonl", "conll", "parquet")),
        *((f"a.{name}", {"format": name}, 1) for name in ("csv", "tsv", "json", "tf_example", "tf_sequence_example")),
    ],
)
def test_large_uncompressed_files_are_split(tmp_path, monkeypatch, name, values, count):
    monkeypatch.setattr(formats, "PART_BYTES", 100)
    (tmp_path / name).write_bytes(gzip.compress(random.randbytes(350)) if name.endswith("gz") else b"x" * 350)
    (file,) = require_files(str(tmp_path / name))
    starts = [100 * number for number in range(count)]
    expected = [Part(file.path, *ends) for ends in zip(starts, [*starts[1:], None], strict=True)]
    assert formats.parts(file, corpus(**values)) == expected
    assert formats.parts(file._replace(size=0), corpus(**values)) == [Part(file.path)]


def test_compressed_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(b'text\tat\n"a\tb\nc"\tweb\nbroken\n'))
    assert outcomes(read(tmp_path / "a.tsv.gz", "tsv", source="at", quoting="minimal")) == [
        ("a\tb\nc",),
        (4, "wrong number of columns: 1, the header has 2"),
    ]


def test_a_column_determines_the_split() -> None:
    data = "text,part\na,train\nb,validation\nc,dev\nd,eval\ne,\n"
    assert fields_or_reasons(read(data, "csv", split="part", split_values={"validation": "eval"}), "split") == [
        "train",
        "eval",
        "unknown split: 'dev', allowed are 'train', 'eval', 'test', 'validation'",
        "eval",
        "no split: 'part' is empty",
    ]
