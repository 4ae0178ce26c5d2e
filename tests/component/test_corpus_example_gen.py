"""CorpusExampleGen under the real LocalDagRunner with ML Metadata in SQLite."""

import csv
import dataclasses
import gzip
import hashlib
import json
import logging
from pathlib import Path

import pytest
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from components.corpus_example_gen.component import CorpusExampleGen
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from trainer.errors import JobError
from trainer.progress import Progress

BEAM_ARGS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    "--sdk_container_image=none",
]
LABELS = {"0": "negative", "1": "positive"}


@dataclasses.dataclass
class Job:
    """A pipeline of the one component, in its own folder."""

    folder: Path
    max_bad_fraction: float = 0.02
    text: str = "text"

    @property
    def corpus(self) -> Path:
        return self.folder / "corpus"

    def run(self, pattern: str = "*.csv", code: str = "1") -> None:
        settings = CorpusSettings(
            format="csv",
            path=pattern,
            text=self.text,
            label="label",
            labels=LABELS,
            max_bad_fraction=self.max_bad_fraction,
        )
        component = CorpusExampleGen(
            input_base=str(self.corpus),
            pattern=pattern,
            settings=settings,
            splits=SplitSettings(),
            code=code,
            quarantine_dir=str(self.folder / "quarantine"),
        )
        pipeline = Pipeline(
            pipeline_name="corpus",
            pipeline_root=str(self.folder / "root"),
            components=[component],
            enable_cache=True,
            metadata_connection_config=self._connection(),
            beam_pipeline_args=BEAM_ARGS,
        )
        LocalDagRunner().run(pipeline)

    def states(self) -> list[str]:
        """States of all executions, in order."""
        with metadata.Metadata(self._connection()) as handle:
            executions = sorted(handle.store.get_executions(), key=lambda execution: execution.id)
        return [metadata_store_pb2.Execution.State.Name(execution.last_known_state) for execution in executions]

    def artifact(self) -> metadata_store_pb2.Artifact:
        """The newest Examples artifact that is live."""
        with metadata.Metadata(self._connection()) as handle:
            artifacts = handle.store.get_artifacts_by_type("Examples")
        live = [artifact for artifact in artifacts if artifact.state == metadata_store_pb2.Artifact.LIVE]
        return max(live, key=lambda artifact: artifact.id)

    def _connection(self) -> metadata_store_pb2.ConnectionConfig:
        return sqlite_metadata_connection_config(str(self.folder / "metadata.db"))


def text(number: int) -> str:
    return f"Film {number},\nit was “{'good' if number % 2 else 'bad'}”."


def write(path: Path, numbers: range, broken: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [("text", "label"), *((text(number), number % 2) for number in numbers)]
        )
    with path.open("ab") as file:
        file.writelines(broken)


def read_split(uri: str, split: str) -> list[tf.train.SequenceExample]:
    files = sorted(Path(uri, f"Split-{split}").iterdir())
    assert [file.name for file in files] == ["data_tfrecord-00000-of-00001.gz"]
    records = tf.data.TFRecordDataset([str(file) for file in files], compression_type="GZIP")
    return [tf.train.SequenceExample.FromString(record) for record in records.as_numpy_iterator()]


def context(example: tf.train.SequenceExample, name: str) -> str:
    (value,) = example.context.feature[name].bytes_list.value
    return value.decode()


def content(example: tf.train.SequenceExample) -> str:
    (step,) = example.feature_lists.feature_list["text"].feature
    return step.bytes_list.value[0].decode()


class Records(logging.Handler):
    """Keeps the progress that was reported."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Progress] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.progress)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, list[Progress]]:
    """A run on 200 records in two files, three of which are broken."""
    job = Job(tmp_path_factory.mktemp("job"))
    write(job.corpus / "a.csv", range(150), [b"no label,\n", b"caf\xe9,1\n"])
    write(job.corpus / "b.csv", range(150, 197), [b"good?,7\n"])
    handler = Records()
    logger = logging.getLogger("seqloom.progress")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    job.run()
    logger.removeHandler(handler)
    logger.setLevel(before)
    return job, handler.seen


def test_every_document_is_in_the_split_of_its_hash(done: tuple[Job, list[Progress]]) -> None:
    artifact = done[0].artifact()
    found = {}
    for split, (low, high) in {"train": (0, 0.8), "eval": (0.8, 0.9), "test": (0.9, 1)}.items():
        examples = read_split(artifact.uri, split)
        ids = [context(example, "id") for example in examples]
        parts = [
            int(hashlib.blake2b(name.encode(), digest_size=8, salt=b"split").hexdigest(), 16) / 2**64 for name in ids
        ]
        assert all(low <= part < high for part in parts)
        order = [hashlib.blake2b(name.encode(), digest_size=8, salt=b"order").digest() for name in ids]
        assert order == sorted(order)
        found.update(
            {content(example): (context(example, "label"), context(example, "source")) for example in examples}
        )
        assert json.loads(artifact.custom_properties["split_documents"].string_value)[split] == len(examples)
    assert found == {
        text(number): (LABELS[str(number % 2)], "a.csv" if number < 150 else "b.csv") for number in range(197)
    }


def test_artifact_tells_its_format_and_counts(done: tuple[Job, list[Progress]]) -> None:
    artifact = done[0].artifact()
    properties = artifact.custom_properties
    assert json.loads(artifact.properties["split_names"].string_value) == ["train", "eval", "test"]
    assert properties["payload_format"].string_value == "FORMAT_TF_SEQUENCE_EXAMPLE"
    assert properties["file_format"].string_value == "tfrecords_gzip"
    assert properties["records_read"].int_value == 200
    assert properties["records_quarantined"].int_value == 3
    assert json.loads(properties["quarantine_reasons"].string_value) == {
        "invalid UTF-8": 1,
        "no label": 1,
        "unknown label": 1,
    }
    assert properties["input_fingerprint"].string_value.startswith("files:2,")
    assert sorted(path.name for path in Path(artifact.uri).iterdir()) == ["Split-eval", "Split-test", "Split-train"]


def test_quarantine_names_file_line_and_reason(done: tuple[Job, list[Progress]]) -> None:
    job = done[0]
    execution = Path(job.artifact().uri).name
    with (job.folder / "quarantine" / execution / "records.jsonl").open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    a, b = str(job.corpus / "a.csv"), str(job.corpus / "b.csv")
    assert records == [
        {"file": a, "line": 302, "reason": "no label: 'label' is empty", "record": "no label,"},
        {"file": a, "line": 303, "reason": "invalid UTF-8: 0xe9 at byte 3 of the record", "record": "caf\\xe9,1"},
        {"file": b, "line": 96, "reason": "unknown label: '7', allowed are '0', '1'", "record": "good?,7"},
    ]


def test_progress_ends_with_all_records(done: tuple[Job, list[Progress]]) -> None:
    assert done[1][-1] == Progress(200, 200, "records")


def test_cache_serves_until_corpus_or_code_change(done: tuple[Job, list[Progress]]) -> None:
    job = done[0]
    first = job.artifact()
    job.run()
    assert job.states() == ["COMPLETE", "CACHED"]
    assert job.artifact().id == first.id
    job.run(code="2")
    assert job.states() == ["COMPLETE", "CACHED", "COMPLETE"]
    second = job.artifact()
    for split in ("train", "eval", "test"):
        assert read_split(second.uri, split) == read_split(first.uri, split)
    (job.corpus / "b.csv").rename(job.corpus / "c.csv")
    job.run(code="2")
    assert job.states() == ["COMPLETE", "CACHED", "COMPLETE", "COMPLETE"]
    assert {context(example, "source") for example in read_split(job.artifact().uri, "train")} == {"a.csv", "c.csv"}


def test_too_many_bad_records_fail_the_run(tmp_path: Path) -> None:
    job = Job(tmp_path)
    write(job.corpus / "a.csv", range(100), [b",1\n"] * 3)
    with pytest.raises(JobError) as error:
        job.run()
    told = str(error.value)
    assert "3 of 103 records quarantined (2.91%)" in told
    assert "3 x no text" in told
    assert "line 202: no text" in told
    (file,) = tmp_path.glob("quarantine/*/records.jsonl")
    assert str(file) in told
    assert file.read_text(encoding="utf-8").count("no text") == 3
    assert job.states() == ["FAILED"]


def test_unusable_corpora_say_what_is_wrong(tmp_path: Path) -> None:
    job = Job(tmp_path, text="body")
    write(job.corpus / "a.csv", range(5), [])
    with pytest.raises(JobError, match=r"The column 'body' \(corpus.text\) is missing"):
        job.run()
    with pytest.raises(JobError, match="No file of the corpus was found"):
        job.run("missing.csv")
    with pytest.raises(JobError, match="The corpus is a folder"):
        job.run(".")
    job.text = "text"
    with pytest.raises(JobError, match="has no documents"):
        Job(tmp_path).run()
    (job.corpus / "a.csv").write_bytes(b"")
    with pytest.raises(JobError, match="The corpus has no records"):
        job.run()


def test_torn_archive_fails_the_run(tmp_path: Path) -> None:
    job = Job(tmp_path)
    write(job.corpus / "a.csv", range(100), [])
    whole = gzip.compress((job.corpus / "a.csv").read_bytes())
    (job.corpus / "a.csv.gz").write_bytes(whole)
    job.run("a.csv.gz")
    assert job.artifact().custom_properties["records_read"].int_value == 100
    (job.corpus / "a.csv.gz").write_bytes(whole[:-200])
    with pytest.raises(JobError, match="A file of the corpus cannot be read"):
        job.run("a.csv.gz")
