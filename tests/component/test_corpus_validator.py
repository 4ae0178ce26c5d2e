"""The corpus validator in the job's own pipeline, under the local runner with ML Metadata in SQLite."""

import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from components.corpus_example_gen.writing.encode import encode
from components.corpus_validator.anomalies import AnomalyError
from pipeline.dag import dag, lineage
from pipeline.dag.layout import Layout
from pipeline.dag.nodes import Sources
from pipeline.runners.local import NodeRunner
from pipeline.runners.local_beam import LOCAL_BEAM
from pipeline.tasks.dataset import DatasetJob
from schema import curated
from tests.component.corpus_job import States
from trainer.errors import JobError

CLASSES = ("dull", "fine")
Rows = list[tuple[str, str]]


def rows(name: str, fine: float, word: str = "film") -> Rows:
    """Texts with labels; the given share is fine."""
    words = random.Random(name).choices
    return [
        (f"{name} {number} {' '.join(words(['a', 'b', word], k=5))}", CLASSES[number % 10 < 10 * fine])
        for number in range(150)
    ]


@dataclasses.dataclass
class Job:
    """A job of task dataset in its own folder."""

    folder: Path
    states: States = dataclasses.field(default_factory=States)
    runs: int = 0

    def run(self, corpus: Rows, until="ExampleValidator", warn=(), tag=None, logs=("", "")) -> None:
        """Runs it on a corpus; `tag` annotates the text in its schema."""
        text = "\n".join(json.dumps({"text": text, "label": label}) for text, label in corpus)
        data = self.folder / "data.jsonl"
        if not data.exists() or data.read_text() != text:
            data.write_text(text)
        schema = curated.for_corpus("labelled_text", target="label", classes=CLASSES, named_sources=False)
        for path, feature in curated.features(schema):
            if tag and path[-1] == "text":
                feature.annotation.tag.append(tag)
        schema_file = self.folder / f"schema{hash(tag)}.pbtxt"
        schema_file.write_text(text_format.MessageToString(schema))
        sections = {"corpus": {"format": "jsonl", "path": "data.jsonl", "label": "label"}, "validation": {"warn": warn}}
        sections |= {"name": "validated", "task": "dataset", "transform": {"min_count": 1}}
        config = DatasetJob.model_validate(sections)
        pipeline = dag.create_pipeline(
            config,
            Layout(self.folder / "root"),
            Sources((SplitPattern(ALL_SPLITS, str(data)),), str(schema_file), logs),
            code=dict.fromkeys(dag.code_modules(config), "1"),
            run_id="1",
            metadata=lineage.sqlite(str(self.folder / "metadata.sqlite")),
            beam_args=LOCAL_BEAM,
            until=until,
        )
        self.states.clear()
        self.runs += 1
        NodeRunner(str(self.runs), self.states).run(pipeline)

    def executions(self) -> dict[str, lineage.Execution]:
        metadata = lineage.sqlite(str(self.folder / "metadata.sqlite"))
        return lineage.read_run(metadata, "validated", str(self.runs))

    def anomalies(self) -> list[dict[str, Any]]:
        """The anomalies of the train split in the latest run."""
        folder = Path(self.executions()["ExampleValidator"].outputs["anomalies"].uri, "Split-train")
        found: list[dict[str, Any]] = json.loads((folder / "anomalies.json").read_text())
        return found


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_good_examples_have_no_anomalies_in_the_format_of_tfx(job: Job) -> None:
    job.run(rows("first", 0.5))
    output = job.executions()["ExampleValidator"].outputs["anomalies"]
    assert output.properties["blessed"] == {"train": 1.0, "eval": 1.0, "test": 1.0}
    for split in ("train", "eval", "test"):
        stored = Path(output.uri, f"Split-{split}", "SchemaDiff.pb").read_bytes()
        anomalies = anomalies_pb2.Anomalies.FromString(stored)
        assert not anomalies.anomaly_info
        assert not anomalies.data_missing
    assert job.anomalies() == []
    assert "previous_statistics" not in job.executions()["ExampleValidator"].inputs
    # Examples of the same files are not previous examples.
    job.run(rows("first", 0.5))
    assert job.states["ExampleValidator"] == "cached"
    assert "previous_statistics" not in job.executions()["ExampleValidator"].inputs


def test_drift_from_the_previous_examples_fails_until_it_is_lowered_or_corrected(job: Job) -> None:
    first, moved, corrected = rows("first", 0.5), rows("moved", 0.9), rows("corrected", 0.4)
    job.run(first)
    with pytest.raises(AnomalyError) as failed:
        job.run(moved, until="SequenceTransform")
    assert [(one.split, one.feature, one.kind) for one in failed.value.anomalies] == [("train", "label", "drift")]
    assert "'fine' is 9" in str(failed.value)
    assert "validation: {warn: [label:drift]}" in str(failed.value)
    assert len(failed.value.anomalies[0].ids) == 3
    assert job.states["ExampleValidator"] == "running"
    assert "SequenceTransform" not in job.states

    # Failed examples are no reference: compared with them, the corrected ones have drifted.
    job.run(corrected)
    assert job.anomalies() == []
    assert "previous_statistics" in job.executions()["ExampleValidator"].inputs

    job.run(moved, until="SequenceTransform", warn=("label:drift",))
    assert [(one["feature"], one["kind"], one["warning"]) for one in job.anomalies()] == [("label", "drift", True)]
    assert job.states["SequenceTransform"] == "done"

    # Lowering an anomaly repeats the validation, but nothing after it.
    job.run(moved, until="SequenceTransform", warn=("label",))
    assert job.states["ExampleValidator"] == "done"
    assert job.states["SequenceTransform"] == "cached"
    job.run(moved, until="SequenceTransform", warn=("label",))
    assert job.states["ExampleValidator"] == "cached"


def test_letters_of_another_script_are_an_anomaly(job: Job) -> None:
    with pytest.raises(AnomalyError) as failed:
        job.run(rows("фильм", 0.5, "хорошо"), tag="script:Latin>=0.95")
    found = failed.value.anomalies
    assert {one.split for one in found} == {"train", "eval", "test"}
    assert {(one.feature, one.kind, len(one.ids)) for one in found} == {("text", "script", 3)}
    assert "mostly Cyrillic" in str(failed.value)


def test_skew_against_the_serving_logs(job: Job) -> None:
    for name, label in (("new", "fine"), ("other", "dull")):
        with tf.io.TFRecordWriter(str(job.folder / f"log-{name}.gz"), "GZIP") as writer:
            for number in range(50):
                writer.write(encode(Document((f"{name} {number}",), label, "log", f"{name}{number}", number)))
    fine = str(job.folder / "log-new.gz")
    with pytest.raises(AnomalyError) as failed:
        job.run(rows("first", 0.5), logs=(fine, "1"))
    assert [(one.split, one.feature, one.kind) for one in failed.value.anomalies] == [("train", "label", "skew")]
    assert "% here and 0.0% in the" in str(failed.value)
    job.run(rows("first", 0.5), logs=(str(job.folder / "log-*.gz"), "2"))
    assert job.anomalies() == []
    with pytest.raises(JobError, match=r"data.jsonl\n.*\n  expected: TFRecords"):
        job.run(rows("first", 0.5), logs=(str(job.folder / "data.jsonl"), "3"))
