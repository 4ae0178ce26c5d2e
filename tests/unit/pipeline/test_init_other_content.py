"""`seqloom init` with files that are no corpora: vectors, models, roots, images and documents."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from tests.unit.components.corpus_records import sequence_example, write_records

WORDS = ["the", "film", ". . .", "new york", "1914", "é", *(f"w{number}" for number in range(20))]
TABLE = np.random.default_rng(1).normal(size=(len(WORDS), 6)).astype("<f4")


def text(separator=" ", end="", header=False, digits=5):
    rows = [
        separator.join([word, *(f"{one:.{digits}f}" for one in row)]) for word, row in zip(WORDS, TABLE, strict=True)
    ]
    return "".join(f"{row}{end}\n" for row in ([f"{len(WORDS)} 6"] if header else []) + rows).encode()


def binary(after=b"\n"):
    rows = [word.encode() + b" " + row.tobytes() + after for word, row in zip(WORDS, TABLE, strict=True)]
    return f"{len(WORDS)} 6\n".encode() + b"".join(rows)


def zipped(name, content="text"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def init(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app.app, ["init", *map(str, arguments)])


def refused(result, *parts):
    assert (result.exit_code, result.stdout) == (2, "")
    assert [part for part in parts if part not in result.stderr] == []
    assert list(Path.cwd().glob("*.yaml")) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("glove.txt", text()),
        ("glove.txt.gz", gzip.compress(text(), mtime=0)),
        ("fasttext.vec", text(header=True, end=" ")),
        ("counts.txt", text(header=True, digits=0)),
        ("tabs.tsv", text("\t")),
        ("word2vec.bin", binary()),
        ("word2vec.bin", binary(b"")),
        ("word2vec.bin.gz", gzip.compress(binary(), mtime=0)),
    ],
)
def test_word_vectors_are_no_corpus_but_the_start_of_a_model(init, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    parts = ["The corpus is a file of word vectors.", "words with 6 numbers each"]
    refused(init(name), *parts, f"trainer.embedding: {{from: {tmp_path / name}}}")


@pytest.mark.parametrize(
    "content",
    [
        # Headerless texts with scores, few numbers behind a word, and sentences of numbers.
        "".join(f"a good film of {n}\t0.1\t0.2\t0.3\t0.{n}\n" for n in range(20)),
        "".join(f"word{n} 0.5 0.{n}\n" for n in range(20)),
        "".join(f"in 19{n} 20 21 22 23\n" for n in range(20)),
        "20 4\n" + "".join(f"the film number {n} was good\n" for n in range(20)),
        "3 2\nthe \t\ta cold  \n\n\nb c\nd e\n",
    ],
)
def test_texts_with_numbers_are_no_vectors(init, content):
    Path("a.txt").write_text(content)
    result = init("a.txt", "--output", "-")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n", ["a PDF document", "extract its text"]),
        (b"{\\rtf1\\ansi text}\n", ["an RTF document", "save it as plain text"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), ["an Office document", "save it as plain text"]),
        (b"SQLite format 3\0" + bytes(99), ["an SQLite database", "as CSV"]),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), ["a PNG image"]),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(99), ["a JPEG image"]),
    ],
)
def test_other_binary_files_are_named(init, content, parts):
    Path("a.txt").write_bytes(content)
    refused(init("a.txt"), "The corpus is not text.", *parts)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (zipped("[Content_Types].xml"), ["A corpus file is not text.", "an Office document", "Save it as plain text"]),
        (zipped("word/document.xml"), ["A corpus file is not text.", "an Office document"]),
        (zipped("mimetype", "application/vnd.oasis.opendocument.text"), ["an OpenDocument file"]),
        (zipped("mimetype", "application/epub+zip"), ["an EPUB book"]),
        (zipped("a.csv"), ["A corpus file is an archive.", "Unpack"]),
    ],
)
def test_documents_in_zip_archives_are_named(init, content, parts):
    Path("a.docx").write_bytes(content)
    refused(init("a.docx"), *parts)


def test_models_and_roots_are_named(init, tmp_path):
    model = tmp_path / "root" / "serving" / "7"
    (model / "variables").mkdir(parents=True)
    (model / "assets").mkdir()
    (model / "saved_model.pb").write_bytes(b"\x08\x01")
    for given in (model, model / "saved_model.pb", model / "variables", model.parent):
        refused(init(given), "The corpus is a model.", "a SavedModel", "seqloom predict")
    (tmp_path / "root" / "artifacts").mkdir()
    (tmp_path / "root" / "words.txt").write_text("a text\n")
    for name in ("metadata.sqlite", "store.json"):
        (tmp_path / "root" / name).write_bytes(b"")
        refused(
            init("root"), "The corpus is the root of a job.", f"the artifacts and {name} of runs", "seqloom runs root"
        )
        (tmp_path / "root" / name).unlink()


def test_transformed_examples_are_named(init, tmp_path):
    context = {"id": b"1", "source": b"", "length": 2}
    write_records(tmp_path / "a.tfrecord", [sequence_example(context, tokens=[4, 5])] * 5)
    refused(init("a.tfrecord"), "The TFRecords hold transformed examples.", "ids of tokens instead of texts")
