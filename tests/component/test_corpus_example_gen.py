"""CorpusExampleGen on CSV files: splits, properties, quarantine, progress, cache and failures."""

import csv
import gzip
import hashlib
import json
import logging
import os
from pathlib import Path

import pytest

from tests.component.corpus_job import CorpusJob, context, text
from trainer.errors import JobError
from trainer.jobs.progress import Progress

CSV = {"format": "csv", "label": "label", "labels": {"0": "negative", "1": "positive"}, "max_bad_fraction": 0.02}


def film(number: int) -> str:
    return f"Film {number},\nit was “{'good' if number % 2 else 'bad'}”."


def write(path: Path, numbers: range, broken: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = [("text", "label"), *((film(number), number % 2) for number in numbers)]
        csv.writer(file, lineterminator="\n").writerows(rows)
    with path.open("ab") as file:
        file.writelines(broken)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[CorpusJob, list[Progress]]:
    """A run on 200 records in two files, three of which are broken."""
    job = CorpusJob(tmp_path_factory.mktemp("job"))
    write(job.corpus / "a.csv", range(150), [b"no label,\n", b"caf\xe9,1\n"])
    write(job.corpus / "b.csv", range(150, 197), [b"good?,7\n"])
    seen: list[Progress] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.progress)
    logger = logging.getLogger("seqloom.progress")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    job.run("*.csv", **CSV)
    logger.removeHandler(handler)
    logger.setLevel(before)
    return job, seen


def test_every_document_is_in_the_split_of_its_hash(done) -> None:
    job, _ = done
    found = {}
    for split, (low, high) in {"train": (0, 0.8), "eval": (0.8, 0.9), "test": (0.9, 1)}.items():
        examples = job.examples(split)
        assert [file.name for file in job.files(split)] == ["data_tfrecord-00000-of-00001.gz"]
        ids = [context(example, "id").encode() for example in examples]
        hashes = [int(hashlib.blake2b(name, digest_size=8, salt=b"split").hexdigest(), 16) / 2**64 for name in ids]
        assert all(low <= value < high for value in hashes)
        order = [hashlib.blake2b(name, digest_size=8, salt=b"order").digest() for name in ids]
        assert order == sorted(order)
        found |= {text(example): (context(example, "label"), context(example, "source")) for example in examples}
        assert job.counts()["split_documents"][split] == len(examples)
    assert found == {
        film(number): (CSV["labels"][str(number % 2)], "a.csv" if number < 150 else "b.csv") for number in range(197)
    }


def test_the_artifact_has_its_format_and_counts(done) -> None:
    job, seen = done
    artifact, counts = job.artifact(), job.counts()
    properties = artifact.custom_properties
    assert json.loads(artifact.properties["split_names"].string_value) == ["train", "eval", "test"]
    assert properties["payload_format"].string_value == "FORMAT_TF_SEQUENCE_EXAMPLE"
    assert properties["file_format"].string_value == "tfrecords_gzip"
    assert (counts["records_read"], counts["records_quarantined"]) == (200, 3)
    assert counts["quarantine_reasons"] == {"invalid UTF-8": 1, "no label": 1, "unknown label": 1}
    assert properties["input_fingerprint"].string_value.startswith("files:2,")
    assert sorted(path.name for path in Path(artifact.uri).iterdir()) == ["Split-eval", "Split-test", "Split-train"]
    assert seen[-1] == Progress(200, 200, "records")


def test_the_quarantine_has_file_line_and_reason(done) -> None:
    job, _ = done
    a, b = str(job.corpus / "a.csv"), str(job.corpus / "b.csv")
    assert job.quarantined() == [
        {"file": a, "line": 302, "reason": "no label: 'label' is empty", "record": "no label,"},
        {"file": a, "line": 303, "reason": "invalid UTF-8: 0xe9 at byte 3 of the record", "record": "caf\\xe9,1"},
        {"file": b, "line": 96, "reason": "unknown label: '7', allowed are '0', '1'", "record": "good?,7"},
    ]


def test_the_cache_serves_until_corpus_or_code_change(done) -> None:
    job, _ = done
    first = job.artifact()
    records = {split: job.examples(split) for split in job.splits}
    job.run("*.csv", **CSV)
    assert job.artifact().id == first.id
    job.run("*.csv", code="2", **CSV)
    assert job.artifact().id != first.id
    assert {split: job.examples(split) for split in job.splits} == records
    (job.corpus / "b.csv").rename(job.corpus / "c.csv")
    job.run("*.csv", code="2", **CSV)
    assert job.states() == ["COMPLETE", "CACHED", "COMPLETE", "COMPLETE"]
    assert {context(example, "source") for example in job.examples("train")} == {"a.csv", "c.csv"}


def test_content_decides_about_the_cache_whatever_its_folder_and_times(job) -> None:
    write(job.corpus / "old" / "a.csv", range(100), [])
    job.run("old/a.csv", **CSV)
    file = (job.corpus / "old").rename(job.corpus / "new") / "a.csv"
    os.utime(file, (1, 1))
    for path in ("new/a.csv", "./new/*.csv", str(file), "new", ["new/../new", "new/a.csv"], "old/../new/a.csv"):
        (job.corpus / "old").mkdir(exist_ok=True)
        job.run(path, **CSV)
    assert job.states() == ["COMPLETE", *["CACHED"] * 6]
    before = job.texts()
    file.write_bytes(file.read_bytes().replace(b"Film 9,", b"Film 8,"))
    os.utime(file, (1, 1))
    job.run("new", **CSV)
    assert job.states()[-1] == "COMPLETE"
    assert job.texts() != before


def test_the_files_of_a_list_are_read_in_its_order_each_once(job) -> None:
    for name, numbers in (("b.csv", range(60)), ("a.csv", range(40, 90)), ("_c.csv", range(90, 120))):
        write(job.corpus / "in" / name, numbers, [])
    job.run(["in/b.csv", "in"], id="text", **CSV)
    assert (job.counts()["records_read"], job.counts()["records_quarantined"]) == (110, 20)
    assert {record["file"].rpartition("/")[2] for record in job.quarantined()} == {"a.csv"}


def test_too_many_bad_records_fail_the_run(job) -> None:
    write(job.corpus / "a.csv", range(100), [b",1\n"] * 3)
    with pytest.raises(JobError) as error:
        job.run("*.csv", **CSV)
    (file,) = job.folder.glob("quarantine/*/records.jsonl")
    parts = ["3 of 103 records quarantined (2.91%)", "3 x no text", "line 202: no text", str(file)]
    assert [part for part in parts if part not in str(error.value)] == []
    assert file.read_text(encoding="utf-8").count("no text") == 3
    assert job.states() == ["FAILED"]


def test_unusable_corpora_fail_the_run(job) -> None:
    write(job.corpus / "a.csv", range(100), [])
    whole = gzip.compress((job.corpus / "a.csv").read_bytes())
    (job.corpus / "a.csv.gz").write_bytes(whole)
    job.run("a.csv.gz", **CSV)
    assert job.counts()["records_read"] == 100
    (job.corpus / "a.csv.gz").write_bytes(whole[:-200])
    write(job.corpus / "few.csv", range(5), [])
    (job.corpus / "empty.csv").write_bytes(b"")
    for path, settings, title in (
        ("a.csv.gz", {}, "A corpus file cannot be read"),
        ("a.csv", {"text": "body"}, r"The column 'body' \(corpus.text\) is missing"),
        ("few.csv", {}, "no documents for split"),
        ("empty.csv", {}, "The corpus has no records"),
    ):
        with pytest.raises(JobError, match=title):
            job.run(path, **CSV, **settings)
