"""The preparation of a run: copies of the job's files named by content, and the fingerprint of serving logs."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from pipeline.config.job import Job
from pipeline.runs.prepare import copy_files, find_serving_logs, prepare
from schema import curated
from trainer.errors import JobError

DATASET = "name: small\ntask: dataset\ncorpus: {format: csv, path: data.csv, %s}\n"
CLASSIFIER = "name: small\ntask: classifier\ncorpus: {format: csv, path: data.csv, label: stars}\n"
CLASSIFIER += "trainer: {embedding: %s}\n"
VECTORS = "name: vectors\ntask: word2vec\ncorpus: {format: text, path: data.txt}\n"
VECTORS += "evaluation: {pairs: {ws: sets/ws.tsv}, analogies: {qs: qs.txt}}\n"


@pytest.fixture(autouse=True)
def _corpus(tmp_path):
    (tmp_path / "data.csv").touch()


def stamped(job: Job, folder: Path) -> tuple[Path, dict[str, schema_pb2.Feature]]:
    path = Path(prepare(job, folder, "1").sources.schema)
    schema = text_format.Parse(path.read_text(), schema_pb2.Schema())
    return path, {steps[-1]: feature for steps, feature in curated.features(schema)}


def test_the_schema_is_the_curated_one_with_the_job_s_classes(load, tmp_path):
    job = load(DATASET % 'label: stars, source: site, labels: {"0": bad, "1": good}')
    path, features = stamped(job, tmp_path)
    assert path.name.startswith("labelled_text-")
    assert list(features["label"].string_domain.value) == ["bad", "good"]
    assert features["source"].HasField("drift_comparator")
    assert stamped(job, tmp_path)[0] == path
    other, features = stamped(load(DATASET % "label: stars"), tmp_path)
    assert other != path
    assert not features["label"].HasField("string_domain")
    assert not features["source"].HasField("drift_comparator")
    path, features = stamped(load(DATASET % "text: body"), tmp_path)
    assert path.name.startswith("text-")
    assert list(features) == ["id", "source", "text"]


def test_the_schema_that_the_user_names_is_copied_unchanged(load, tmp_path):
    (tmp_path / "my.pbtxt").write_text('# mine\nfeature { name: "id" type: BYTES }\n')
    path, _ = stamped(load(DATASET % "label: stars, labels: [a, b]" + "schema: my.pbtxt\n"), tmp_path)
    assert path.name.startswith("my-")
    assert path.read_bytes() == (tmp_path / "my.pbtxt").read_bytes()


def test_serving_logs_are_found_and_fingerprinted(load, tmp_path):
    assert find_serving_logs(load(DATASET % "text: body"), tmp_path) == ("", "")
    job = load(DATASET % "text: body" + 'validation: {serving_logs: "logs/*.gz"}\n')
    with pytest.raises(JobError, match=r"validation\.serving_logs"):
        find_serving_logs(job, tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.gz").write_bytes(b"1")
    pattern, before = find_serving_logs(job, tmp_path)
    assert pattern == str(tmp_path / "logs" / "*.gz")
    (tmp_path / "logs" / "b.gz").write_bytes(b"2")
    after = find_serving_logs(job, tmp_path)
    assert after == find_serving_logs(job, tmp_path)
    assert (after[0], after[1] != before) == (pattern, True)


@pytest.fixture
def vectors(load, tmp_path) -> Job:
    """A job of word vectors with its evaluation sets."""
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "ws.tsv").write_text("a\tb\t1\n")
    (tmp_path / "qs.txt").write_text(": s\na b c d\n")
    return load(VECTORS)


def test_evaluation_sets_are_copied_by_their_content(vectors, tmp_path):
    first = copy_files(vectors, tmp_path).evaluation
    copy = Path(first.pairs["ws"])
    assert (copy.read_text(), copy.parent, copy.name[:3]) == ("a\tb\t1\n", tmp_path / "evaluation", "ws-")
    assert copy_files(vectors, tmp_path).evaluation == first
    (tmp_path / "sets" / "ws.tsv").write_text("a\tb\t2\n")
    second = copy_files(vectors, tmp_path).evaluation
    assert second.pairs != first.pairs
    assert (second.analogies, second.min_coverage) == (first.analogies, vectors.evaluation.min_coverage)


def test_an_invalid_line_is_reported_in_the_user_s_own_file(vectors, load, tmp_path):
    def refused(job: Job, title: str) -> str | None:
        with pytest.raises(JobError, match=title) as caught:
            copy_files(job, tmp_path)
        return caught.value.where

    (tmp_path / "qs.txt").write_text(": s\na b c d\na b c\n")
    assert refused(vectors, "analogies cannot be parsed") == f"{tmp_path}/qs.txt:3"
    (tmp_path / "qs.txt").unlink()
    assert refused(vectors, "does not exist") == "evaluation.analogies.qs"
    (tmp_path / "v.txt").write_text("a 1 2\nb 3\n")
    assert refused(load(CLASSIFIER % "{from: v.txt}"), "number of columns") == f"{tmp_path}/v.txt:2"
    assert not (tmp_path / "vectors").exists()


def test_pretrained_vectors_are_copied_by_their_content(load, tmp_path):
    (tmp_path / "glove.2d.txt").write_text("a 1 2\nb 3 4\n")
    job = load(CLASSIFIER % "{from: glove.2d.txt, frozen: true}")
    first = copy_files(job, tmp_path).trainer
    copy = Path(first.embedding.source)
    assert (copy.read_text(), copy.parent) == ("a 1 2\nb 3 4\n", tmp_path / "vectors")
    assert (copy.name[:9], copy.suffix) == ("glove.2d-", ".txt")
    assert first.embedding.frozen
    assert first.model_copy(update={"embedding": job.trainer.embedding}) == job.trainer
    assert copy_files(job, tmp_path).trainer == first
    (tmp_path / "glove.2d.txt").write_text("a 1 2\nb 3 5\n")
    assert copy_files(job, tmp_path).trainer != first


def test_jobs_without_files_are_unchanged(load, tmp_path):
    for text in (CLASSIFIER % "5", DATASET % "text: body"):
        assert copy_files(load(text), tmp_path) == load(text)


def test_a_prepared_run_has_the_components_of_its_goal(load, tmp_path):
    job = load(CLASSIFIER % "5")
    check = prepare(job, tmp_path, "1", goal="check")
    assert check.components[-1] == "LearningCheck"
    assert (check.sources.corpus, check.run_id) == ((SplitPattern(ALL_SPLITS, f"{tmp_path}/data.csv"),), "1")
    assert prepare(job, tmp_path, "1", until="Trainer").components[-1] == "Trainer"


def test_hyperparameters_must_have_been_tuned(load, tmp_path):
    job = load(CLASSIFIER % 5 + "tune: {use: true, space: {trainer.units: {values: [8, 16]}}}")
    with pytest.raises(JobError, match="has no tuned hyperparameters"):
        prepare(job, tmp_path, "1")
    assert prepare(job, tmp_path, "1", until="SequenceTransform").components
