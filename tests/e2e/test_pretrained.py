"""A classifier that starts from word vectors that another job published."""

from __future__ import annotations

import json
import shutil

import pytest

pytestmark = pytest.mark.slow

DATA = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "SequenceTransform")
VECTORS = """\
name: words
task: word2vec
corpus: {format: csv, path: data.csv, text: body, id: key}
splits: {train: 9, eval: 1}
transform: {max_size: 20}
trainer: {dimensions: 6, epochs: 1}
"""
CLASSIFIER = """\
name: tiny
task: classifier
corpus: {format: csv, path: data.csv, text: body, label: stars, id: key}
transform: {min_count: 1}
trainer: {epochs: 1, units: 4, batch_tokens: 128, embedding: {from: ../%s/root}}
"""


@pytest.fixture(scope="module")
def words(new_job, ran):
    """Word vectors, published without gates; their corpus is a part of the classifier's."""
    job = new_job("words", yaml=VECTORS, count=200)
    return job, ran(job)


@pytest.fixture(scope="module")
def classifier(new_job, ran, words):
    job = new_job("classifier", yaml=CLASSIFIER % words[0].folder.name)
    return job, ran(job)


@pytest.fixture(scope="module")
def unchanged(ran, classifier):
    """The same again."""
    return ran(classifier[0], "--until", "Trainer")


@pytest.fixture(scope="module")
def renewed(ran, words, classifier, unchanged):
    """A new version of the word vectors, and the classifier after it."""
    published = ran(words[0], "--set", "trainer.seed=2")
    return published, ran(classifier[0], "--until", "Trainer")


def test_word_vectors_without_gates_are_published(words):
    job, done = words
    assert done.process.returncode == 0, done.process.stderr
    assert done.record["state"] == "pushed"
    assert (job.root / "serving" / done.versions[0] / "vectors.bin").is_file()


def test_the_classifier_starts_from_them_and_tells_what_they_cover(words, classifier):
    job, done = classifier
    assert done.process.returncode == 0, done.process.stderr
    assert done.record["state"] == "pushed"
    known = {line.split()[0] for line in vectors_text(words[0], words[1].versions[0])}
    graph = next(job.root.glob("artifacts/SequenceTransform/transform_graph/*"))
    vocabulary, counts = ((graph / f"{name}.txt").read_text().splitlines()[4:] for name in ("vocabulary", "counts"))
    tokens = {word: int(count) for word, count in zip(vocabulary, counts, strict=True)}
    assert len(known) == 20 < len(tokens)
    assert known < tokens.keys()
    told = done.record["details"]["training"]["embedding"]
    assert (told["width"], told["words"], told["found"]) == (6, 20, 20)
    assert told["type_coverage"] == pytest.approx(20 / len(tokens))
    assert told["token_coverage"] == pytest.approx(sum(tokens[word] for word in known) / sum(tokens.values()))
    log = (job.root / "logs" / done.record["run_id"] / "run.log").read_text()
    assert f"20 words start from {job.root}/vectors/vectors-" in log


def test_unchanged_word_vectors_come_from_cache(unchanged):
    assert unchanged.process.returncode == 0, unchanged.process.stderr
    assert {name: unchanged.states[name] for name in (*DATA, "Trainer")} == dict.fromkeys((*DATA, "Trainer"), "cached")


def test_a_new_version_of_the_word_vectors_trains_again(words, renewed):
    published, again = renewed
    assert published.record["state"] == "pushed"
    assert len(published.versions) == 2
    assert again.process.returncode == 0, again.process.stderr
    assert {name: again.states[name] for name in DATA} == dict.fromkeys(DATA, "cached")
    assert again.states["Trainer"] == "done"


def test_the_published_classifier_needs_nothing_of_the_word_vectors(words, classifier, renewed, tmp_path):
    job, done = classifier
    served = tmp_path / "served"
    shutil.copytree(done.record["pushed"]["path"], served)
    shutil.move(job.root, tmp_path / "classifier")
    shutil.move(words[0].root, tmp_path / "words")
    told = job.seqloom("predict", served, "A superb film.")
    assert (told.returncode, told.stderr) == (0, "")
    assert json.loads(told.stdout)["label"] in ("0", "1")


def vectors_text(job, version: str) -> list[str]:
    return (job.root / "serving" / version / "vectors.txt").read_text().splitlines()[1:]
