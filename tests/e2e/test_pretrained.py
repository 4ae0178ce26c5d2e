"""A classifier that starts from word vectors that another job published."""

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
def renewed(ran, words, classifier):
    """A new version of the word vectors, and the classifier after it."""
    published = ran(words[0], "--set", "trainer.seed=2")
    return published, ran(classifier[0], "--until", "Trainer")


def test_word_vectors_without_gates_are_published(words):
    job, done = words
    assert done.process.returncode == 0, done.process.stderr
    assert done.record["state"] == "pushed"
    assert (job.root / "serving" / done.versions[0] / "vectors.bin").is_file()


def test_the_classifier_starts_from_them_and_reports_their_coverage(words, classifier):
    job, done = classifier
    assert done.process.returncode == 0, done.process.stderr
    assert done.record["state"] == "pushed"
    assert done.record["verdict"] == {"blessed": True, "reasons": []}
    assert set(done.record["metrics"]) == {"overall", "source=data.csv"}
    vectors = words[0].root / "serving" / words[1].versions[0] / "vectors.txt"
    known = {line.split()[0] for line in vectors.read_text().splitlines()[1:]}
    graph = next(job.root.glob("artifacts/SequenceTransform/transform_graph/*"))
    vocabulary, counts = ((graph / f"{name}.txt").read_text().splitlines()[4:] for name in ("vocabulary", "counts"))
    tokens = {word: int(count) for word, count in zip(vocabulary, counts, strict=True)}
    assert len(known) == 20 < len(tokens)
    assert known < tokens.keys()
    found = done.record["details"]["training"]["embedding"]
    assert (found["width"], found["words"], found["found"]) == (6, 20, 20)
    assert found["type_coverage"] == pytest.approx(20 / len(tokens))
    assert found["token_coverage"] == pytest.approx(sum(tokens[word] for word in known) / sum(tokens.values()))
    log = (job.root / "logs" / done.record["run_id"] / "run.log").read_text()
    assert f"20 words start from {job.root}/vectors/vectors-" in log


def test_a_new_version_of_the_word_vectors_trains_again(words, renewed):
    published, again = renewed
    assert published.record["state"] == "pushed"
    assert len(published.versions) == 2
    assert again.process.returncode == 0, again.process.stderr
    assert {name: again.states[name] for name in DATA} == dict.fromkeys(DATA, "cached")
    assert again.states["Trainer"] == "done"


def test_the_published_classifier_does_not_need_the_word_vectors(words, classifier, renewed, ask, tmp_path):
    job, done = classifier
    served = tmp_path / "served"
    shutil.copytree(done.record["pushed"]["path"], served)
    shutil.move(job.root, tmp_path / "classifier")
    shutil.move(words[0].root, tmp_path / "words")
    (answer,) = ask(job, served, "A superb film.")
    assert answer["label"] in ("0", "1")
