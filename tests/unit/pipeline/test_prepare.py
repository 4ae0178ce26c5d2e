"""What a run prepares: copies of the job's files by their content, and a fingerprint of what serving logged."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.config.job import Job
from pipeline.runs.prepare import copy_files, find_serving_logs, prepare
from pipeline.tasks import loading
from schema import curated
from trainer.errors import JobError

JOB = """\
name: small
task: dataset
corpus: {format: csv, path: data.csv, %s}
"""


def load(folder: Path, corpus: str, more: str = "") -> Job:
    (folder / "data.csv").touch()
    (folder / "job.yaml").write_text(JOB % corpus + more)
    return loading.load(folder / "job.yaml")


def stamped(job: Job, folder: Path) -> tuple[Path, dict[str, schema_pb2.Feature]]:
    path = Path(prepare(job, folder, "1").sources.schema)
    schema = text_format.Parse(path.read_text(), schema_pb2.Schema())
    return path, {steps[-1]: feature for steps, feature in curated.features(schema)}


def test_the_schema_is_the_curated_one_of_the_kind_with_the_job_s_classes(tmp_path):
    job = load(tmp_path, 'label: stars, source: site, labels: {"0": bad, "1": good}')
    path, features = stamped(job, tmp_path)
    assert path.name.startswith("labelled_text-")
    assert list(features["label"].string_domain.value) == ["bad", "good"]
    assert features["source"].HasField("drift_comparator")
    again, _ = stamped(job, tmp_path)
    assert again == path
    other, features = stamped(load(tmp_path, "label: stars"), tmp_path)
    assert other != path
    assert not features["label"].HasField("string_domain")
    assert not features["source"].HasField("drift_comparator")


def test_a_corpus_without_labels_has_the_schema_of_text(tmp_path):
    path, features = stamped(load(tmp_path, "text: body"), tmp_path)
    assert path.name.startswith("text-")
    assert list(features) == ["id", "source", "text"]


def test_a_schema_of_the_user_is_taken_as_it_is(tmp_path):
    (tmp_path / "my.pbtxt").write_text('# mine\nfeature { name: "id" type: BYTES }\n')
    job = load(tmp_path, "label: stars, labels: [a, b]", "schema: my.pbtxt\n")
    path, _ = stamped(job, tmp_path)
    assert path.name.startswith("my-")
    assert path.read_bytes() == (tmp_path / "my.pbtxt").read_bytes()


def test_serving_logs_are_found_and_fingerprinted(tmp_path):
    assert find_serving_logs(load(tmp_path, "text: body")) == ("", "")
    job = load(tmp_path, "text: body", 'validation: {serving_logs: "logs/*.gz"}\n')
    with pytest.raises(JobError, match=r"validation\.serving_logs"):
        find_serving_logs(job)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.gz").write_bytes(b"1")
    pattern, before = find_serving_logs(job)
    assert pattern == str(tmp_path / "logs" / "*.gz")
    (tmp_path / "logs" / "b.gz").write_bytes(b"2")
    assert find_serving_logs(job) == (pattern, find_serving_logs(job)[1])
    assert find_serving_logs(job)[1] != before


VECTORS = """\
name: vectors
task: word2vec
corpus: {format: text, path: data.txt}
evaluation: {pairs: {ws: sets/ws.tsv}, analogies: {qs: qs.txt}}
"""


def vectors(folder: Path) -> Job:
    (folder / "sets").mkdir(exist_ok=True)
    (folder / "sets" / "ws.tsv").write_text("a\tb\t1\n")
    (folder / "qs.txt").write_text(": s\na b c d\n")
    (folder / "job.yaml").write_text(VECTORS)
    return loading.load(folder / "job.yaml")


def test_files_that_vectors_are_judged_by_are_copied_by_their_content(tmp_path):
    job = vectors(tmp_path)
    first = copy_files(job, tmp_path).evaluation
    (copy,) = first.pairs.values()
    assert Path(copy).read_text() == "a\tb\t1\n"
    assert Path(copy).parent == tmp_path / "evaluation"
    assert Path(copy).name.startswith("ws-")
    assert copy_files(job, tmp_path).evaluation == first
    (tmp_path / "sets" / "ws.tsv").write_text("a\tb\t2\n")
    second = copy_files(job, tmp_path).evaluation
    assert second.pairs != first.pairs
    assert second.analogies == first.analogies
    assert second.min_coverage == job.evaluation.min_coverage


def test_a_bad_line_is_told_in_the_user_s_own_file(tmp_path):
    job = vectors(tmp_path)
    (tmp_path / "qs.txt").write_text(": s\na b c d\na b c\n")
    with pytest.raises(JobError, match="analogies cannot be read") as caught:
        copy_files(job, tmp_path)
    assert caught.value.where == f"{tmp_path}/qs.txt:3"
    (tmp_path / "qs.txt").unlink()
    with pytest.raises(JobError, match="does not exist") as caught:
        copy_files(job, tmp_path)
    assert caught.value.where == "evaluation.analogies.qs"


CLASSIFIER = """\
name: small
task: classifier
corpus: {format: csv, path: data.csv, label: stars}
trainer: {embedding: %s}
"""


def classifier(folder: Path, embedding: str) -> Job:
    (folder / "job.yaml").write_text(CLASSIFIER % embedding)
    return loading.load(folder / "job.yaml")


def test_vectors_to_start_from_are_copied_by_their_content(tmp_path):
    (tmp_path / "glove.2d.txt").write_text("a 1 2\nb 3 4\n")
    job = classifier(tmp_path, "{from: glove.2d.txt, frozen: true}")
    first = copy_files(job, tmp_path).trainer
    copy = Path(first.embedding.source)
    assert copy.read_text() == "a 1 2\nb 3 4\n"
    assert copy.parent == tmp_path / "vectors"
    assert (copy.name[:9], copy.suffix) == ("glove.2d-", ".txt")
    assert first.embedding.frozen
    assert first.model_copy(update={"embedding": job.trainer.embedding}) == job.trainer
    assert copy_files(job, tmp_path).trainer == first
    (tmp_path / "glove.2d.txt").write_text("a 1 2\nb 3 5\n")
    assert copy_files(job, tmp_path).trainer != first


def test_a_broken_file_of_vectors_is_told_in_the_user_s_own_file(tmp_path):
    (tmp_path / "v.txt").write_text("a 1 2\nb 3\n")
    with pytest.raises(JobError, match="number of columns") as caught:
        copy_files(classifier(tmp_path, "{from: v.txt}"), tmp_path)
    assert caught.value.where == f"{tmp_path}/v.txt:2"
    assert not (tmp_path / "vectors").exists()


def test_jobs_that_name_no_files_are_left_as_they_are(tmp_path):
    for job in (classifier(tmp_path, "5"), load(tmp_path, "text: body")):
        assert copy_files(job, tmp_path) == job


def test_a_prepared_run_names_the_components_of_its_goal(tmp_path):
    (tmp_path / "data.csv").touch()
    job = classifier(tmp_path, "5")
    check = prepare(job, tmp_path, "1", goal="check")
    assert check.components[-1] == "LearningCheck"
    assert (check.sources.corpus, check.run_id) == ((str(tmp_path), "data.csv"), "1")
    assert prepare(job, tmp_path, "1", until="Trainer").components[-1] == "Trainer"


def test_hyperparameters_must_have_been_tuned(tmp_path):
    (tmp_path / "data.csv").touch()
    (tmp_path / "job.yaml").write_text(CLASSIFIER % 5 + "tune: {use: true, space: {trainer.units: {values: [8, 16]}}}")
    job = loading.load(tmp_path / "job.yaml")
    with pytest.raises(JobError, match="has no tuned hyperparameters"):
        prepare(job, tmp_path, "1")
    assert prepare(job, tmp_path, "1", until="SequenceTransform").components
