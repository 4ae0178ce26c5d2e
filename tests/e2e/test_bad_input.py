"""What is wrong with a job or its corpus is told, with the place and what to do, and ends with the right code."""

from __future__ import annotations

import json

import pytest

JSONL_YAML = """\
name: lines
task: classifier
corpus: {format: jsonl, path: data.jsonl, label: label, labels: [bad, good], max_bad_fraction: 0.02}
transform: {min_count: 1}
trainer: {epochs: 2, units: 8, embedding: 8, batch_tokens: 128, learning_rate: 0.02}
"""
BEFORE_TRANSFORM = ["CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator"]
TOLD_AT_ONCE = [
    (["--set", "trainer.epoch=3"], 2, ["key trainer.epoch is unknown", "did you mean epochs?"]),
    (["--set", "trainer.epochs=three"], 2, ["--set trainer.epochs=three", "a whole number"]),
    (["--set", "corpus.path=date.csv"], 2, ["corpus file does not exist", "job.yaml", "did you mean data.csv?"]),
    (["--set", "corpus.labels=null"], 2, ["gates.auc", "no corpus.labels", "list the classes under corpus.labels"]),
    (["--set", "gates.f1.min=0.5"], 2, ["no metric f1", "accuracy, auc, loss"]),
    (["--set", "corpus.label=null"], 2, ["job.yaml:3, corpus", "labels needs label"]),
    (["--until", "Pushr"], 2, ["no component Pushr", "did you mean Pusher?"]),
    (["--root", "job.yaml"], 1, ["The root is not writable.", "use another --root"]),
]


@pytest.fixture(scope="module")
def job(new_job):
    return new_job("bad", count=120)


@pytest.mark.parametrize(("options", "code", "parts"), TOLD_AT_ONCE)
def test_a_wrong_job_ends_at_once(job, options, code, parts):
    done = job.run(*options)
    assert (done.returncode, done.stdout) == (code, "")
    for part in parts:
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert not job.root.exists()


def test_a_key_of_the_yaml_is_told_with_its_line(new_job):
    job = new_job(
        "key", yaml="name: a\ntask: classifier\ncorpus: {format: csv, path: data.csv, lable: stars}\n", count=1
    )
    done = job.run()
    assert done.returncode == 2
    for part in ("job.yaml:3, corpus.lable", "did you mean label?"):
        assert part in done.stderr


@pytest.mark.slow
def test_a_missing_column_is_told(job, ran):
    done = ran(job, "--set", "corpus.text=bodi")
    assert done.process.returncode == 1
    assert "The column 'bodi' (corpus.text) is missing" in done.process.stderr
    assert "Traceback" not in done.process.stdout + done.process.stderr
    assert done.record["state"] == "failed"
    assert done.record["error"] == done.process.stderr.rstrip("\n")
    assert done.states["CorpusExampleGen"] == "failed"
    assert set(done.states.values()) == {"failed", "waiting"}
    assert done.executions == {"CorpusExampleGen": "FAILED"}


@pytest.mark.slow
def test_too_many_bad_records_end_the_run_and_the_way_out_works(new_job, ran):
    job = new_job("quarantine", count=95)
    with (job.folder / "data.csv").open("ab") as file:
        file.write(b"k1,,1,news\nk2,caf\xe9,1,news\nk3,Fine.,7,news\nk4,Fine.,,news\nk5,Too few\n")
    done = ran(job)
    assert done.process.returncode == 1
    assert "5 of 100 records quarantined (5.00%)" in done.process.stderr
    way_out = "--set corpus.max_bad_fraction=0.051"
    assert way_out in done.process.stderr
    (quarantine,) = job.root.glob("quarantine/*/records.jsonl")
    assert str(quarantine) in done.process.stderr
    records = [json.loads(line) for line in quarantine.read_text().splitlines()]
    assert {record["file"] for record in records} == {str(job.folder / "data.csv")}
    assert [record["line"] for record in records] == [97, 98, 99, 100, 101]
    reasons = ["no text", "invalid UTF-8", "unknown label: '7', allowed are '0', '1'", "no label"]
    for reason, record in zip(reasons, records, strict=False):
        assert record["reason"].startswith(reason)
    let_go = ran(job, *way_out.split(), "--until", "CorpusExampleGen")
    assert (let_go.process.returncode, let_go.process.stderr) == (0, "")
    corpus = let_go.record["details"]["corpus"]
    assert (corpus["records"], corpus["quarantined"], sum(corpus["documents"].values())) == (100, 5, 95)
    assert sum(corpus["reasons"].values()) == 5


@pytest.fixture(scope="module")
def lines(new_job):
    """A job on 200 JSON lines, three of which are broken."""
    job = new_job("lines", yaml=JSONL_YAML, count=0)
    texts = [
        {"text": f"Number {n} was {'warm' if n % 2 else 'dull'}.", "label": ("bad", "good")[n % 2]} for n in range(197)
    ]
    given = [*map(json.dumps, texts), '{"text": "cut', '{"text": "What?", "label": "odd"}', "[1]"]
    (job.folder / "data.jsonl").write_text("".join(f"{line}\n" for line in given))
    return job


@pytest.fixture(scope="module")
def transformed(lines, ran):
    """The job until its data are transformed."""
    return ran(lines, "--until", "SequenceTransform")


@pytest.mark.slow
def test_a_few_broken_lines_are_counted_and_the_run_goes_on(lines, transformed):
    assert (transformed.process.returncode, transformed.process.stderr) == (0, "")
    worked = {name: state for name, state in transformed.states.items() if state != "skipped"}
    assert worked == dict.fromkeys([*BEFORE_TRANSFORM, "PreviousStatistics", "SequenceTransform"], "done")
    assert transformed.record["state"] == "done"
    assert "Stopped before the Pusher, as --until requested." in transformed.process.stdout
    corpus = transformed.record["details"]["corpus"]
    assert (corpus["records"], corpus["quarantined"]) == (200, 3)
    (quarantine,) = lines.root.glob("quarantine/*/records.jsonl")
    records = [json.loads(line) for line in quarantine.read_text().splitlines()]
    assert [record["line"] for record in records] == [198, 199, 200]
    assert "unknown label: 'odd'" in records[1]["reason"]
    documents = {split: transformed.record["details"]["transform"][split]["documents"] for split in corpus["documents"]}
    assert documents == corpus["documents"]


@pytest.mark.slow
def test_an_empty_vocabulary_is_told(lines, transformed, ran):
    done = ran(lines, "--set", "transform.min_count=1000")
    assert done.process.returncode == 1
    for part in ("The vocabulary would be empty.", "transform.min_count = 1000", "lower transform.min_count"):
        assert part in done.process.stderr
    assert done.states["SequenceTransform"] == "failed"
    assert [done.states[name] for name in BEFORE_TRANSFORM] == ["cached"] * 4


@pytest.mark.slow
def test_a_run_takes_from_cache_what_an_earlier_one_made_that_ended_early(lines, transformed, ran):
    done = ran(lines)
    assert done.process.returncode == 0, done.process.stderr
    assert [done.states[name] for name in (*BEFORE_TRANSFORM, "SequenceTransform")] == ["cached"] * 5
    assert done.states["Trainer"] == "done"
    assert done.record["state"] == "pushed"
    assert set(done.record["metrics"]) == {"overall", "source=data.jsonl"}
    assert done.record["verdict"] == {"blessed": True, "reasons": []}
