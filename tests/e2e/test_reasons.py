"""`seqloom why` on a real root: hits, and what differs after a change of a setting, the corpus or the code."""

from __future__ import annotations

import importlib.metadata
import json
import shutil

import pytest

pytestmark = pytest.mark.slow

YAML = "name: d\ntask: dataset\ncorpus: {format: csv, path: data.csv, text: body, label: stars, id: key}\n"
PREPROCESSING = "trainer/text/preprocessing.py"


def test_a_component_runs_again_for_the_reason_that_is_given(new_job, ran):
    job = new_job("reasons", yaml=f"{YAML}transform: {{min_count: 1}}\n", count=60, own_code=True)
    made = ran(job)
    assert made.record["state"] == "transformed", made.process.stderr
    run = made.record["run_id"]

    def why(component: str, *options: object) -> dict:
        done = job.seqloom("why", "job.yaml", component, "--root", job.root, "--json", *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    hit = why("SequenceTransform")
    assert (hit["state"], hit["run"], hit["differences"]) == ("cached", run, [])
    assert hit["headline"] == f"SequenceTransform would come from the cache, from run {run}."

    setting = why("SequenceTransform", "--set", "transform.min_count=2")
    row = {"kind": "setting", "name": "transform.min_count", "old": "1", "new": "2"}
    assert (setting["state"], setting["differences"]) == ("runs", [row])
    expected = f"SequenceTransform would run: transform.min_count is 2, was 1 (compared with run {run})."
    assert setting["headline"] == expected
    assert why("StatisticsGen", "--set", "transform.min_count=2")["state"] == "cached"

    flags = why("StatisticsGen", "--set", "beam.options=[--experiments=none]")
    assert flags["upstream"]["differences"] == [
        {"kind": "beam", "name": "--experiments", "old": None, "new": "none"},
    ]

    data = job.folder / "data.csv"
    whole = data.read_text()
    data.write_text(whole + "900,One more line.,1\n")
    corpus = why("CorpusExampleGen")
    assert [(each["kind"], each["name"]) for each in corpus["differences"]] == [("file", "data.csv")]
    assert corpus["headline"].startswith("CorpusExampleGen would run: the file data.csv has changed (compared")
    after = why("SequenceTransform", "--set", "transform.min_count=2")
    assert (after["state"], after["differences"]) == ("depends", [row])
    assert after["upstream"] == corpus
    assert after["headline"] == f"SequenceTransform would run after CorpusExampleGen. {corpus['headline']}"
    data.write_text(whole)

    source = job.code / PREPROCESSING
    source.write_text(source.read_text() + "\nEDITED = True\n")
    code = why("SequenceTransform")
    (edited,) = code["differences"]
    assert (edited["kind"], edited["name"]) == ("code", "trainer.text.preprocessing")
    (job.root / "logs" / run / "conditions.json").unlink()
    assert [each["name"] for each in why("SequenceTransform")["differences"]] == ["the component"]

    again = ran(job)
    assert again.states["SequenceTransform"] == "done"
    assert why("SequenceTransform")["run"] == again.record["run_id"]
    nearest = why("SequenceTransform", "--set", "transform.min_count=2")
    assert (nearest["run"], nearest["differences"]) == (again.record["run_id"], [row])
    table = job.seqloom("why", "job.yaml", "SequenceTransform", "--root", job.root, "--set", "transform.min_count=2")
    assert "transform.min_count" in table.stdout
    assert table.stdout.startswith("SequenceTransform would run: transform.min_count is 2, was 1")

    newer = job.code / "regex-9999.1.dist-info"
    newer.mkdir()
    (newer / "METADATA").write_text("Metadata-Version: 2.1\nName: regex\nVersion: 9999.1\n")
    package = {"kind": "package", "name": "regex", "old": importlib.metadata.version("regex"), "new": "9999.1"}
    assert why("ExampleValidator")["differences"] == [package]
    assert why("StatisticsGen")["state"] == "cached"
    shutil.rmtree(newer)

    shutil.rmtree(job.root / "artifacts" / "SequenceTransform")
    lost = why("SequenceTransform")
    assert (lost["state"], lost["differences"]) == ("runs", [])
    assert lost["reason"] == f"the results of run {again.record['run_id']} are gone"
    assert why("PreviousStatistics")["reason"] == "it looks up earlier results every time"


def test_commands_that_cannot_answer_say_so(new_job):
    job = new_job("no-reasons", yaml=YAML, count=20)
    first = job.seqloom("why", "job.yaml", "StatisticsGen", "--root", job.root)
    assert first.stdout == (
        "StatisticsGen would run after CorpusExampleGen. CorpusExampleGen would run: the root has no earlier run.\n"
    )
    assert not job.root.exists()
    wrong = job.seqloom("why", "job.yaml", "Statistics", "--root", job.root)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean StatisticsGen?" in wrong.stderr
