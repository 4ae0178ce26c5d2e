"""Errors in a job or its corpus name the place and the fix, and end with the right exit code."""

import json

import pytest

BEFORE_TRANSFORM = ["CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator"]
BROKEN = b"k1,,1,news\nk2,caf\xe9,1,news\nk3,Fine.,7,news\nk4,Fine.,,news\nk5,Too few\n"
WAY_OUT = "--set corpus.max_bad_fraction=0.051"
WRONG = [
    (["--set", "trainer.epochs=three"], 2, ["--set trainer.epochs=three", "a whole number"]),
    (["--set", "corpus.label=null"], 2, ["job.yaml:3, corpus", "labels needs label"]),
    (["--set", "corpus.path=date.csv"], 2, ["corpus file does not exist", "job.yaml", "did you mean data.csv?"]),
    (["--until", "Pushr"], 2, ["no component Pushr", "did you mean Pusher?"]),
    (["--root", "job.yaml"], 1, ["The root is not a writable folder.", "use another --root"]),
]


@pytest.fixture(scope="module")
def job(new_job):
    """A job on 100 records, five of which are broken."""
    made = new_job("quarantine", count=95)
    with (made.folder / "data.csv").open("ab") as file:
        file.write(BROKEN)
    return made


@pytest.fixture(scope="module")
def failed(job, ran):
    return ran(job)


@pytest.fixture(scope="module")
def transformed(job, failed, ran):
    """The same job with the fix that the error names, up to the transform."""
    return ran(job, *WAY_OUT.split(), "--until", "SequenceTransform")


@pytest.mark.parametrize(("options", "code", "parts"), WRONG)
def test_an_invalid_job_fails_before_a_run_starts(new_job, options, code, parts):
    job = new_job("bad", count=1)
    done = job.run(*options, fresh=True)
    assert (done.returncode, done.stdout) == (code, "")
    for part in parts:
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert not job.root.exists()


@pytest.mark.slow
def test_too_many_bad_records_fail_the_run(job, failed):
    assert failed.process.returncode == 1
    for part in ("5 of 100 records quarantined (5.00%)", WAY_OUT):
        assert part in failed.process.stderr
    assert "Traceback" not in failed.process.stdout + failed.process.stderr
    assert (failed.record["state"], failed.record["error"]) == ("failed", failed.process.stderr.rstrip("\n"))
    assert failed.states["CorpusExampleGen"] == "failed"
    assert set(failed.states.values()) == {"failed", "waiting"}
    assert failed.executions == {"CorpusExampleGen": "FAILED"}
    (quarantine,) = job.root.glob("quarantine/*/records.jsonl")
    assert str(quarantine) in failed.process.stderr
    records = [json.loads(line) for line in quarantine.read_text().splitlines()]
    assert {record["file"] for record in records} == {str(job.folder / "data.csv")}
    assert [record["line"] for record in records] == [97, 98, 99, 100, 101]
    reasons = ["no text", "invalid UTF-8", "unknown label: '7', allowed are '0', '1'", "no label"]
    for reason, record in zip(reasons, records, strict=False):
        assert record["reason"].startswith(reason)


@pytest.mark.slow
def test_the_suggested_fix_counts_the_bad_records_and_continues(transformed):
    assert (transformed.process.returncode, transformed.process.stderr) == (0, "")
    worked = {name: state for name, state in transformed.states.items() if state != "skipped"}
    assert worked == dict.fromkeys([*BEFORE_TRANSFORM, "PreviousStatistics", "SequenceTransform"], "done")
    assert transformed.record["state"] == "done"
    assert "Stopped early, as --until requested." in transformed.process.stdout
    corpus = transformed.record["details"]["corpus"]
    assert (corpus["records"], corpus["quarantined"], sum(corpus["documents"].values())) == (100, 5, 95)
    assert sum(corpus["reasons"].values()) == 5
    documents = {split: transformed.record["details"]["transform"][split]["documents"] for split in corpus["documents"]}
    assert documents == corpus["documents"]


@pytest.mark.slow
def test_a_run_that_fails_in_the_transform_takes_earlier_components_from_cache(job, transformed, ran):
    done = ran(job, *WAY_OUT.split(), "--set", "transform.min_count=1000")
    assert done.process.returncode == 1
    for part in ("The vocabulary would be empty.", "transform.min_count = 1000", "lower transform.min_count"):
        assert part in done.process.stderr
    assert done.states["SequenceTransform"] == "failed"
    assert [done.states[name] for name in BEFORE_TRANSFORM] == ["cached"] * 4
