"""What a job needs: files, extras, engine, devices and workers."""

from __future__ import annotations

import importlib.util
import json
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.job import Job
from pipeline.diagnosis import job_needs
from pipeline.diagnosis.diagnosis import Diagnosis
from pipeline.tasks.loading import load

CLASSIFIER = "name: job\ntask: classifier\ncorpus: {format: csv, path: '*.csv', label: stars}\n"
VECTORS = "name: job\ntask: word2vec\ncorpus: {format: text, path: '*.csv'}\n"

MakeJob = Callable[..., Job]


@pytest.fixture
def job(tmp_path: Path) -> MakeJob:
    """A function that makes a job of two files with 30 bytes from a YAML."""
    (tmp_path / "a.csv").write_text("text,stars\nfine,1\n")
    (tmp_path / "b.csv").write_text("text,stars\n1\n"[:12])

    def make(text: str = "", start: str = CLASSIFIER) -> Job:
        (tmp_path / "job.yaml").write_text(start + text)
        return load(tmp_path / "job.yaml")

    return make


def test_the_files_of_the_corpus_are_counted(job: MakeJob) -> None:
    assert list(job_needs.corpora(job())) == [("Corpus", "ok", "2 files, 0.0 MB", None)]
    assert job_needs.corpus_bytes(job()) == 30


def test_all_spans_are_counted_but_their_size_is_not_that_of_a_run(job: MakeJob, tmp_path: Path) -> None:
    for day in ("01", "02"):
        (tmp_path / f"2026-01-{day}.txt").write_bytes(b"x" * 1_500_000)
    corpus = "name: job\ntask: dataset\ncorpus: {format: text, path: '{YYYY}-{MM}-{DD}.txt'}\n"
    assert list(job_needs.corpora(job(start=corpus))) == [("Corpus", "ok", "2 files, 3.0 MB", None)]
    assert job_needs.corpus_bytes(job(start=corpus)) == 0


def test_missing_files_are_named_with_a_suggestion(job: MakeJob, tmp_path: Path) -> None:
    absent = job("schema: schema.pbtxt\nvalidation: {serving_logs: logs.tfrecord}\n")
    (tmp_path / "a.csv").rename(tmp_path / "renamed.txt")
    (tmp_path / "b.csv").unlink()
    (schema,) = job_needs.files(absent)
    title = f"The schema file does not exist: {tmp_path}/schema.pbtxt"
    assert schema == ("schema", "missing", title, f"{tmp_path} contains job.yaml, renamed.txt")
    corpus, logs = job_needs.corpora(absent)
    assert corpus[:3] == ("Corpus", "missing", f"No file matches the corpus path: {tmp_path}/*.csv")
    assert (logs.name, logs.state) == ("Serving logs", "missing")
    assert job_needs.corpus_bytes(absent) == 0
    (tmp_path / "schema.pbtxt").touch()
    assert list(job_needs.files(absent)) == [("schema", "ok", f"{tmp_path}/schema.pbtxt", None)]


def test_a_url_is_not_opened_but_needs_a_file_system(job: MakeJob) -> None:
    def corpus(url: str) -> Diagnosis:
        (found,) = job_needs.corpora(job(start=f"name: job\ntask: dataset\ncorpus: {{format: text, path: {url}}}\n"))
        return found

    if importlib.util.find_spec("google.cloud.storage"):
        assert corpus("gs://a/x.txt") == ("Corpus", "ok", "gs://a/x.txt is opened when a run starts", None)
    absent = corpus("hdfs://user:secret@a/x.txt")
    assert absent[2:] == (
        "The filesystem of hdfs:// is not installed: a URL that starts with hdfs://",
        "pip install 'hdfs'",
    )
    assert corpus("none://a/x.txt").state == "missing"


@pytest.mark.parametrize(
    ("text", "start", "packages"),
    [
        ("", CLASSIFIER, []),
        ("transform: {nfkc: true}\n", CLASSIFIER, ["tensorflow_text"]),
        ("transform: {tokenizer: subwords, nfkc: true}\n", CLASSIFIER, ["sentencepiece", "tensorflow_text"]),
        ("trainer: {index: hnsw}\n", VECTORS, ["faiss"]),
    ],
)
def test_settings_need_the_packages_of_extras(job: MakeJob, text: str, start: str, packages: list[str]) -> None:
    found = job(text, start)
    assert [one.package for one in job_needs.needed_packages(found)] == packages
    expected = ["ok" if importlib.util.find_spec(name) else "missing" for name in packages]
    assert [one.state.value for one in job_needs.extras(found)] == expected


def test_a_package_that_is_not_installed_is_named_with_its_extra(
    job: MakeJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.delitem(__import__("sys").modules, "faiss", raising=False)
    (found,) = job_needs.extras(job("trainer: {index: hnsw}\n", VECTORS))
    assert found == (
        "faiss",
        "missing",
        "not installed, but trainer.index: hnsw needs it",
        'pip install "seqloom[index]", or change trainer.index',
    )


def test_an_engine_needs_its_programs_and_servers(
    job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert job_needs.engine(job()).found == "local, in the process of the run"
    prism = job_needs.engine(job("beam: {engine: prism}\n"))
    assert prism[1:3] == ("missing", "Prism is not installed: no prism on the PATH")
    assert str(prism.remedy).startswith("go install ")
    (tmp_path / "prism").write_text("#!/bin/sh\necho -idle_shutdown_timeout duration\n")
    (tmp_path / "prism").chmod(0o755)
    assert job_needs.engine(job("beam: {engine: prism}\n")) == ("Beam engine", "ok", "prism", None)
    dataflow = "beam: {engine: dataflow, project: p, region: r, temp_location: gs://b/t, image: i}\n"
    assert job_needs.engine(job(dataflow)).found.startswith("dataflow; credentials, bucket and workers are checked")
    flink = "beam: {engine: flink, jar: server.jar, master: 'localhost:1'}\n"
    assert str(job_needs.engine(job(flink)).remedy).startswith("it must be beam-runners-flink-")
    with zipfile.ZipFile(tmp_path / "server.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    assert job_needs.engine(job(flink)).remedy == "install Java 11 or 17"
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
        portable = job(f"beam: {{engine: portable, endpoint: 'localhost:{port}'}}\n")
        assert job_needs.engine(portable) == ("Beam engine", "ok", "portable", None)
    closed = job_needs.engine(portable)
    assert closed.found.startswith(f"The job server cannot be reached: localhost:{port}: ")


def test_settings_for_graphics_cards_are_warnings_without_them(job: MakeJob) -> None:
    half = job("trainer: {precision: bfloat16}\n")
    assert [one[:3] for one in job_needs.devices(half, 0)] == [
        ("trainer.precision", "warning", "bfloat16, which is slow without a GPU")
    ]
    assert list(job_needs.devices(half, 1)) == []
    mirrored = job("trainer: {strategy: mirrored}\n", VECTORS)
    assert [one.found for one in job_needs.devices(mirrored, 1)] == ["mirrored, with 1 GPU"]
    assert list(job_needs.devices(mirrored, 2)) == []
    assert list(job_needs.devices(job(start=CLASSIFIER), 0)) == []


@pytest.mark.parametrize(
    ("variable", "state", "found"),
    [
        (None, "missing", "not set"),
        ("{", "missing", "names no workers: {"),
        ('{"cluster": {"worker": ["a:1"]}}', "missing", 'names no workers: {"cluster": {"worker": ["a:1"]}}'),
        (
            json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}),
            "ok",
            "2 workers, of which this is worker 1",
        ),
    ],
)
def test_several_workers_need_a_cluster(
    job: MakeJob, monkeypatch: pytest.MonkeyPatch, variable: str | None, state: str, found: str
) -> None:
    if variable is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
    else:
        monkeypatch.setenv("TF_CONFIG", variable)
    (one,) = job_needs.devices(job("trainer: {strategy: multi_worker}\n"), 0)
    assert one[:3] == ("TF_CONFIG", state, found)


def test_sinks_need_packages_and_the_environment(job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    given = job("events: {webhook: {url_from: HOOK_URL}, openlineage: {file: a}, prometheus: {file: a.prom}}\n")
    needed = job_needs.needed_packages(given)
    assert needed == [
        ("openlineage", "events", "events.openlineage"),
        ("prometheus_client", "events", "events.prometheus"),
    ]
    monkeypatch.setenv("HOOK_URL", "http://127.0.0.1/s3cret")
    assert list(job_needs.environment(given)) == [("HOOK_URL", "ok", "set, for events.webhook.url_from", None)]
    monkeypatch.setenv("HOOK_URL", "")
    (found,) = job_needs.environment(given)
    assert found[:3] == ("HOOK_URL", "missing", "not set, but events.webhook.url_from names it")
