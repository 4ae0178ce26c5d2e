"""What CorpusExampleGen writes: given splits, duplicates, file formats, and everything that was read."""

import json
import pickle
import random
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.corpus_example_gen.inputs.files import match_files
from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.writing import conversion
from components.corpus_example_gen.writing.split_assignment import SplitRule
from pipeline.runners.local_beam import LOCAL_BEAM
from tests.component.corpus_job import documents
from trainer.errors import JobError
from trainer.settings import OutputSettings

SPLITS = ("train", "eval", "test")


def test_files_determine_the_splits(job):
    paths = {split: str(job.write(f"{split}.jsonl", documents(split, n))) for n, split in enumerate(SPLITS, 2)}
    job.run(paths)
    for count, split in enumerate(SPLITS, 2):
        assert job.texts(split) == [f"{split} {number}" for number in range(count)]
    assert job.counts()["split_documents"] == {"train": 2, "eval": 3, "test": 4}
    names = json.loads(job.artifact().properties["split_names"].string_value)
    assert names == list(SPLITS)
    Path(paths["eval"]).write_text("")
    with pytest.raises(JobError, match=r"(?s)The corpus has no documents for split eval.*splits by file"):
        job.run(paths)
    with pytest.raises(JobError, match=r"(?s)in two splits.*eval\.jsonl matches the paths of eval and test"):
        job.run({**paths, "test": "*.jsonl"})


def test_a_column_determines_the_splits(job):
    names = ["train", "validation", "test", "train", "held out"]
    job.write("a.jsonl", [{"text": str(number), "fold": name} for number, name in enumerate(names)])
    job.splits = {"train": 1, "eval": 1}
    job.run("a.jsonl", split="fold", split_values={"validation": "eval"}, max_bad_fraction=0.5)
    assert (job.texts("train"), job.texts("eval")) == (["0", "3"], ["1"])
    reasons = {record["line"]: record["reason"] for record in job.quarantined()}
    assert sorted(reasons) == [3, 5]
    assert reasons[3] == "unknown split: 'test', allowed are 'train', 'eval'"
    assert reasons[5].startswith("unknown split: 'held out'")


def test_equal_texts_stay_in_the_last_split_only(job):
    folds = {"train": ["a", "b", "b", "c", "d", "train only"], "eval": ["b", "c", "e", "e"], "test": ["c", "f", "f"]}
    paths = {
        split: str(job.write(f"{split}.jsonl", [{"text": text, "id": f"{split}{n}"} for n, text in enumerate(texts)]))
        for split, texts in folds.items()
    }
    job.run(paths, id="id")
    assert job.counts()["duplicates_removed"] == 0
    job.run(paths, id="id", dedupe=True)
    kept = {split: sorted(job.read(split)) for split in SPLITS}
    assert kept == {
        "train": [("train0", "a"), ("train4", "d"), ("train5", "train only")],
        "eval": [("eval0", "b"), ("eval2", "e")],
        "test": [("test0", "c"), ("test1", "f")],
    }
    counts = job.counts()
    assert counts["split_duplicates"] == {"train": 3, "eval": 2, "test": 1}
    assert (counts["duplicates_removed"], counts["records_read"], counts["records_quarantined"]) == (6, 13, 0)


def test_a_repeated_id_is_quarantined_with_the_location_of_the_first(job):
    records = [{"id": f"n{number}", "text": f"text {number}"} for number in range(60)]
    first = job.write("a.jsonl", [*records, {"id": "n7", "text": "other"}])
    second = job.write("b.jsonl", [{"id": "n7", "text": "third"}, {"id": "x", "text": "text 7"}])
    job.run("*.jsonl", id="id", max_bad_fraction=0.1)
    assert job.texts() == sorted([*(f"text {number}" for number in range(60)), "text 7"])
    reason = f"duplicate id: 'n7' is first in {first}, line 8"
    assert job.quarantined() == [
        {"file": str(first), "line": 61, "reason": reason, "record": "other"},
        {"file": str(second), "line": 1, "reason": reason, "record": "third"},
    ]
    job.run("*.jsonl", id="id", dedupe=True, max_bad_fraction=0.1)
    counts = job.counts()
    assert job.texts() == sorted(f"text {number}" for number in range(60))
    assert (counts["records_read"], counts["records_quarantined"], counts["duplicates_removed"]) == (63, 2, 1)
    assert counts["quarantine_reasons"] == {"duplicate id": 2}


def test_plain_and_gzip_files_have_the_same_content(job):
    job.write("a.jsonl", documents("text", 100))
    job.statistics = True
    job.run("a.jsonl")
    zipped = {split: job.read(split) for split in SPLITS}
    assert [file.name for file in job.files("train")] == ["data_tfrecord-00000-of-00001.gz"]
    assert job.artifact().custom_properties["file_format"].string_value == "tfrecords_gzip"
    job.output = {"compression": "none"}
    job.run("a.jsonl")
    assert job.states() == ["COMPLETE"] * 4
    assert {split: job.read(split) for split in SPLITS} == zipped
    assert [file.name for file in job.files("train")] == ["data_tfrecord-00000-of-00001"]
    assert "file_format" not in job.artifact().custom_properties
    # Stock components detect plain files by their names.
    path = Path(job.artifact("ExampleStatistics").uri, "Split-train", "FeatureStats.pb")
    statistics = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    assert statistics.datasets[0].num_examples == len(zipped["train"])


def test_any_number_of_parts_and_files_gives_the_same_bytes(job, monkeypatch):
    made = random.Random(3)
    records = [{"id": str(n % 1990), "text": "word " * made.randrange(1, 400) + str(n)} for n in range(2_000)]
    path = job.write("a.jsonl", records)
    job.output = {"shard_mb": 1}
    settings = {"id": "id", "dedupe": True}
    job.run("a.jsonl", **settings)
    whole = {split: [file.read_bytes() for file in job.files(split)] for split in SPLITS}
    bad = job.quarantined()
    assert len(whole["train"]) == -(-path.stat().st_size * 8 // (10 << 20)) > 1
    assert [record["line"] for record in bad] == list(range(1991, 2001))
    monkeypatch.setattr(formats, "PART_BYTES", 10_000)
    (file,) = match_files(str(path))
    assert len(formats.parts(file, CorpusSettings(format="jsonl", path="x"))) > 100
    job.run("a.jsonl", code="2", **settings)
    assert {split: [file.read_bytes() for file in job.files(split)] for split in SPLITS} == whole
    assert job.quarantined() == bad
    assert not list(job.folder.rglob("spill*"))
    assert not list(job.folder.rglob("partial*"))


BROKEN = (
    (b'{"text": "a", "label": "1"', "broken JSON"),
    (b'["text"]', "not an object"),
    (b'{"text": 5, "label": "1", "id": "x"}', "text is not a string"),
    (b'{"text": " ", "label": "1", "id": "x"}', "no text"),
    (b'{"label": "1", "id": "x"}', "no text"),
    (b'{"text": "a", "label": "7", "id": "x"}', "unknown label"),
    (b'{"text": "a", "label": "", "id": "x"}', "no label"),
    (b'{"text": "a", "label": "1", "id": ""}', "no id"),
    (b'{"text": "\\ud800", "label": "1", "id": "x"}', "lone surrogate"),
    (b'{"text": "caf\xe9", "label": "1", "id": "x"}', "invalid UTF-8"),
    (b'{"text": "again", "label": "1", "id": "0"}', "duplicate id"),
)


def test_a_thousand_bad_records_lose_no_good_one(job, monkeypatch):
    monkeypatch.setattr(formats, "PART_BYTES", 100_000)
    made = random.Random(11)
    broken = [BROKEN[number % len(BROKEN)] for number in range(1_000)]
    good = [json.dumps({"text": f"text {n}", "label": str(n % 2), "id": str(n)}).encode() for n in range(20_000)]
    # The first line is good: of a repeated id the first is kept.
    lines = [good[0], *made.sample([*good[1:], *(line for line, _ in broken)], 20_999)]
    reasons = dict(BROKEN)
    job.corpus.mkdir()
    for name, part in (("a.jsonl", lines[:13_000]), ("b.jsonl", lines[13_000:])):
        (job.corpus / name).write_bytes(b"\n".join(part) + b"\n")
    job.run("*.jsonl", label="label", labels=["0", "1"], id="id", max_bad_fraction=0.05)
    assert job.texts() == sorted(f"text {number}" for number in range(20_000))
    counts = job.counts()
    assert (counts["records_read"], counts["records_quarantined"]) == (21_000, 1_000)
    expected = [
        (str(job.corpus / name), number, reasons[line])
        for name, part in (("a.jsonl", lines[:13_000]), ("b.jsonl", lines[13_000:]))
        for number, line in enumerate(part, 1)
        if line in reasons
    ]
    found = [(record["file"], record["line"], record["reason"].partition(":")[0]) for record in job.quarantined()]
    assert found == expected


def test_no_document_goes_through_beam(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": f"{number} " + "long text " * 2_000}) for number in range(600)]
    path.write_text("\n".join([*lines, "bad " * 10_000]))
    settings = CorpusSettings(format="jsonl", path=str(path), dedupe=True)
    rule = SplitRule("hash", {"train": 8, "eval": 1, "test": 1})
    plan = conversion.Plan(settings, rule, {"train": 3, "eval": 1, "test": 1}, OutputSettings())

    def small(elements):
        assert elements
        assert all(len(pickle.dumps(element)) < 400 for element in elements)
        # One per key for each flush of the buffer, not one per document.
        assert len(elements) <= 5 * (1 + path.stat().st_size // (4 << 20))

    with beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM))) as pipeline:
        found = (
            pipeline
            | beam.Create(conversion.file_elements([(None, file) for file in match_files(str(path))]))
            | conversion.ReadDocuments(plan, str(tmp_path / "spill"))
        )
        for kind, elements in found.items():
            assert_that(elements, small, label=kind)
    assert sum(file.stat().st_size for file in (tmp_path / "spill").iterdir()) > 600 * 20_000
