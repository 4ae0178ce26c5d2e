"""Word vectors that a classifier starts from: the forms of trainer.embedding, and finding the file."""

import pytest

from pipeline.runs import record as history
from pipeline.runs.pretrained import find_vectors
from pipeline.tasks import loading
from trainer.classifier.settings import ClassifierSettings
from trainer.errors import JobError

JOB = """\
name: small
task: classifier
corpus: {format: csv, path: data.csv, label: stars}
trainer:
  embedding: %s
"""


def test_a_number_is_the_width_and_a_section_names_the_source(load):
    embedding = load(JOB % "32").trainer.embedding
    assert (embedding.width, embedding.source, embedding.frozen) == (32, None, False)
    assert load(JOB % "{width: 32}").trainer.embedding == embedding
    assert ClassifierSettings().embedding.width == 64
    assert load(JOB % "32", "trainer.embedding=8").trainer.embedding.width == 8
    embedding = load(JOB % "{from: ../runs/embeddings, frozen: true}").trainer.embedding
    assert (embedding.width, embedding.source, embedding.frozen) == (None, "../runs/embeddings", True)


def test_the_json_schema_allows_both():
    embedding = loading.json_schema()["$defs"]["ClassifierSettings"]["properties"]["embedding"]
    found = {choice.get("type", choice.get("$ref")) for choice in embedding["anyOf"]}
    assert found == {"integer", "#/$defs/EmbeddingSettings"}


SECTION = "a section with the keys width, from, frozen"


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("0", ["trainer.embedding.width is not valid", ":5, trainer.embedding", "found: 0", "a whole number, above 0"]),
        ('"64"', [":5, trainer.embedding", 'the text "64"', SECTION]),
        ("runs/embeddings", [":5, trainer.embedding", SECTION]),
        ("true", [":5, trainer.embedding", "found: true"]),
        ("null", [":5, trainer.embedding", "found: nothing (null)"]),
        ("{}", [":5, trainer.embedding", "neither width nor from"]),
        ("{width: 64, from: a.bin}", [":5, trainer.embedding", "width cannot be combined with from"]),
        ("{width: 64, frozen: true}", [":5, trainer.embedding", "frozen needs from"]),
        ("{frm: a.bin}", ["key trainer.embedding.frm is unknown", "did you mean from?"]),
        ("{from: 3}", [":5, trainer.embedding.from", 'put it in quotes: "3"']),
        ('{from: ""}', [":5, trainer.embedding.from", "is not valid", "publishes word vectors"]),
        ("{source: a.bin}", ["key trainer.embedding.source is unknown"]),
    ],
)
def test_an_invalid_value_is_reported_with_its_location(message, value, parts):
    found = message(JOB % value)
    assert [part for part in parts if part not in found] == []


def find(source, folder):
    return find_vectors(str(source), folder, where="trainer.embedding.from")


def refused(source, folder) -> JobError:
    with pytest.raises(JobError) as caught:
        find(source, folder)
    return caught.value


def publish(root, version, *names):
    folder = root / "serving" / version
    folder.mkdir(parents=True)
    for name in ("saved_model.pb", *names):
        (folder / name).touch()
    return folder


def test_the_newest_version_of_a_root_is_used(tmp_path):
    publish(tmp_path / "runs" / "words", "9", "vectors.bin")
    newest = publish(tmp_path / "runs" / "words", "10", "vectors.bin")
    (tmp_path / "configs").mkdir()
    for source in ("../runs/words", tmp_path / "runs" / "words", newest):
        assert find(source, tmp_path / "configs").samefile(newest / "vectors.bin")
    assert find("runs/words/serving/9", tmp_path) == tmp_path / "runs" / "words" / "serving" / "9" / "vectors.bin"


def test_a_file_is_used_as_it_is(tmp_path):
    (tmp_path / "glove.6B.50d.txt").touch()
    assert find("glove.6B.50d.txt", tmp_path) == tmp_path / "glove.6B.50d.txt"
    found = find("package:gensim/test/test_data/word2vec_pre_kv_c", tmp_path)
    assert (found.is_absolute(), found.name) == (True, "word2vec_pre_kv_c")


def test_a_root_without_published_vectors_is_refused(tmp_path):
    verdict = history.Verdict(blessed=False, reasons=("spearman is 0.1, but must be at least 0.3",))
    history.write(tmp_path, history.new_run(tmp_path, "a").updated(state="not_blessed", verdict=verdict))
    error = refused(".", tmp_path)
    assert "no published model" in error.what
    assert str(error.where).startswith("trainer.embedding.from, ")
    assert "spearman is 0.1" in str(error.found)
    assert "publishes word vectors" in str(error.expected)
    folder = publish(tmp_path / "sentiment", "1")
    error = refused("sentiment", tmp_path)
    assert error.what == "The published model has no word vectors."
    assert (error.where, error.found) == ("trainer.embedding.from", f"{folder} without vectors.bin")


def test_a_missing_source_and_the_file_of_a_projector_are_refused(tmp_path):
    (tmp_path / "vectors.bin").touch()
    root = refused("runs/words", tmp_path)
    assert (root.what, root.found) == ("The word vectors do not exist.", f"no {tmp_path}/runs/words")
    assert "run the job" in str(root.fix)
    file = refused("vektors.bin", tmp_path)
    assert file.what == "The trainer.embedding.from file does not exist."
    assert file.fix == "did you mean vectors.bin?"
    assert "not installed" in refused("package:no_such_package/vectors", tmp_path).what
    (tmp_path / "vectors.tsv").touch()  # The file of a projector.
    error = refused("vectors.tsv", tmp_path)
    assert (error.found, "vectors.bin" in str(error.fix)) == (str(tmp_path / "vectors.tsv"), True)
