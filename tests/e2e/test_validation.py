"""A job with an inferred schema: a corpus that fits passes, another one fails with a list of its anomalies."""

import csv

import pytest

pytestmark = pytest.mark.slow

YAML = """\
name: checked
task: dataset
corpus: {format: csv, path: data.csv, text: body, label: stars, source: site, id: key}
schema: my.pbtxt
transform: {min_count: 1}
"""


@pytest.fixture(scope="module")
def inferred(new_job):
    """A job with the schema inferred from its corpus."""
    job = new_job("inferred", yaml=YAML.replace("schema: my.pbtxt\n", ""), count=200)
    schema = job.seqloom("schema", "infer", "job.yaml")
    assert (schema.returncode, schema.stderr) == (0, "")
    (job.folder / "my.pbtxt").write_text(schema.stdout)
    (job.folder / "job.yaml").write_text(YAML)
    return job


@pytest.fixture(scope="module")
def fitting(inferred, ran):
    """The corpus that the schema was inferred from."""
    return ran(inferred)


@pytest.fixture(scope="module")
def strange(inferred, ran, fitting):
    """The same corpus with documents of an unknown class in every split."""
    with (inferred.folder / "data.csv").open("a", newline="") as file:
        csv.writer(file).writerows((f"x{n}", f"Odd {n}", "7", "news") for n in range(30))
    return ran(inferred)


def test_an_inferred_schema_works_for_a_whole_run(fitting):
    assert fitting.process.returncode == 0, fitting.process.stderr
    assert fitting.states["SequenceTransform"] == "done"
    assert fitting.record["details"]["anomalies"] == []


def test_an_anomaly_fails_the_run_before_the_transform(strange):
    assert strange.process.returncode == 1
    assert strange.record["state"] == "failed"
    assert strange.states["ExampleValidator"] == "failed"
    assert strange.states["SequenceTransform"] == "waiting"
    anomalies = strange.record["details"]["anomalies"]
    found = {(one["feature"], one["kind"], one["expected"]) for one in anomalies}
    assert found == {("label", "domain", "one of '0', '1'")}
    train = next(one for one in anomalies if one["split"] == "train")
    assert len(train["ids"]) == 3
    assert all(name.startswith("x") for name in train["ids"])
    lines = [line for line in strange.process.stdout.splitlines() if line.startswith("Anomaly in ")]
    assert lines[0].startswith(f"Anomaly in {anomalies[0]['split']}, label:domain: label has unknown values")
    assert lines[0].endswith(f"; documents {', '.join(anomalies[0]['ids'])}")
    for part in ("do not fit their schema: label.", "expected: label: one of '0', '1'", "warn: [label:domain]}"):
        assert part in strange.process.stderr


def test_a_setting_lowers_it_to_a_warning(inferred, ran, strange):
    lowered = ran(inferred, "--until", "ExampleValidator", "--set", 'validation.warn=["label:domain"]')
    assert lowered.process.returncode == 0
    assert lowered.states["ExampleValidator"] == "done"
    assert {one["warning"] for one in lowered.record["details"]["anomalies"]} == {True}
    assert "Warning in train, label:domain: " in lowered.process.stdout
