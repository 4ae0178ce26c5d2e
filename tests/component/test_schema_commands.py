"""`seqloom schema infer` and `diff` on real files, read and counted by the real readers and Beam pipelines."""

import csv
import json
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from typer.testing import CliRunner, Result

from pipeline.cli import app
from schema import curated

COLUMNS = ("--text", "body", "--label", "stars", "--source", "site")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app.app, ["schema", *map(str, arguments)])


def inferred(*arguments: object) -> tuple[str, dict[str, schema_pb2.Feature]]:
    """What `infer` prints, and the features in it by name."""
    result = invoke("infer", *arguments)
    assert result.exit_code == 0, result.output
    schema = text_format.Parse(result.stdout, schema_pb2.Schema())
    return result.stdout, {path[-1]: feature for path, feature in curated.features(schema)}


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("body", "stars", "site"), *((f"Film {n}", "53"[n % 4 == 0], "ab"[n % 2]) for n in range(40))]
        )
    return path


def test_a_labelled_corpus(reviews: Path) -> None:
    with reviews.open("a") as file:
        file.write(",5,a\n")
    result = invoke("infer", reviews, *COLUMNS)
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == ["1 of 41 records are invalid."]
    assert f"# Inferred from 40 documents of {reviews}, a corpus of kind labelled_text." in result.stdout
    schema = text_format.Parse(result.stdout, schema_pb2.Schema())
    found = {path[-1]: feature for path, feature in curated.features(schema)}
    assert list(found) == ["id", "source", "label", "text"]
    assert list(found["label"].string_domain.value) == ["3", "5"]
    assert "# Observed: 5 75.0%, 3 25.0%." in result.stdout
    assert "# Sources: " in result.stdout
    assert list(found["text"].annotation.tag) == ["script:Latin>=0.95"]
    assert [count.max for count in found["text"].value_counts.value_count] == [1, 1]
    assert schema.tensor_representation_group == curated.load("labelled_text").tensor_representation_group


def test_a_corpus_of_bad_records_alone_names_the_first(tmp_path: Path) -> None:
    path = tmp_path / "films"
    path.write_text("\n__label__a __label__b x\nplain\n")
    result = invoke("infer", path, "--format", "fasttext")
    assert result.exit_code == 1
    assert f"no documents, 2 bad records; {path}, line 2: several labels: 'a', 'b'" in result.stderr


def test_a_text_corpus_of_two_scripts(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("日本語です\n" * 9 + "Latin\n")
    text, found = inferred(path)
    assert list(found) == ["id", "source", "text"]
    # 27 Han, 18 Hiragana and 5 Latin letters.
    assert "# Letters: Han 54.0%, Hiragana 36.0%, Latin 10.0%." in text
    assert list(found["text"].annotation.tag) == ["script:Han+Hiragana+Latin>=0.95"]
    assert not found["source"].HasField("drift_comparator")


def test_a_tagged_corpus_and_its_lengths(tmp_path: Path) -> None:
    path = tmp_path / "sentences.conll"
    path.write_text("Dogs\tNOUN\nbark\tVERB\n\nOh\tINTJ\n\n" + "a\tX\n" * 31)
    text, found = inferred(path)
    assert list(found) == ["id", "source", "tokens", "tags"]
    assert list(found["tags"].string_domain.value) == ["INTJ", "NOUN", "VERB", "X"]
    for name in ("tokens", "tags"):
        assert [(count.min, count.max) for count in found[name].value_counts.value_count] == [(1, 100), (1, 1)]
    assert "# 1 to 31 steps per document observed" in text


def test_a_job_gives_its_classes(reviews: Path, tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    corpus = {"format": "csv", "path": "reviews.csv", "text": "body", "label": "stars", "labels": {"5": "y", "3": "n"}}
    job.write_text(json.dumps({"name": "a", "task": "classifier", "corpus": corpus}))
    _, found = inferred(job)
    assert list(found["label"].string_domain.value) == ["y", "n"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "corpus file does not exist"),
        (["reviews.data"], "set --format"),
        (["reviews.csv", "--format", "cvs"], "did you mean csv?"),
        (["reviews.csv", "--text", "bodi"], "bodi"),
    ],
)
def test_a_corpus_that_cannot_be_read_is_an_error(reviews: Path, arguments: list[str], message: str) -> None:
    reviews.with_name("reviews.data").write_text("x")
    result = invoke("infer", reviews.parent / arguments[0], *arguments[1:])
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_diff_has_the_exit_codes_of_diff(reviews: Path, tmp_path: Path) -> None:
    mine = tmp_path / "my.pbtxt"
    mine.write_text(inferred(reviews, *COLUMNS)[0])
    same = invoke("diff", mine, reviews, *COLUMNS)
    assert (same.exit_code, same.stdout) == (0, "")
    other = invoke("diff", "labelled_text", mine)
    assert other.exit_code == 1
    assert other.stdout.splitlines() == [
        "label, values: nothing -> '3', '5'",
        "text, annotation: nothing -> script:Latin>=0.95",
        "text, value counts: 1 to 100000 values, each of 1 to 1 values -> 1 to 1 values, each of 1 to 1 values",
    ]
    mine.write_text("feature {")
    assert invoke("diff", mine, mine).exit_code == 2
    assert invoke("diff", tmp_path / "none.pbtxt", mine).exit_code == 2
