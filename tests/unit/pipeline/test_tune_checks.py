"""Search spaces that are rejected when a job's YAML is loaded."""

from pathlib import Path

import pytest

from pipeline.tasks import loading
from pipeline.tasks.supervised_job import SupervisedJob
from trainer.errors import JobError

JOB = """\
name: small
task: classifier
corpus: {{format: csv, path: data.csv, label: stars}}
transform: {{truncate: {{to: 100}}}}
tune:
  algorithm: {algorithm}
  space:
    {space}
"""


def load(tmp_path: Path, space: str, algorithm: str = "random", *overrides: str) -> SupervisedJob:
    path = tmp_path / "job.yaml"
    path.write_text(JOB.format(space=space, algorithm=algorithm))
    job = loading.load(path, overrides)
    assert isinstance(job, SupervisedJob)
    return job


@pytest.mark.parametrize(
    "space",
    [
        "trainer.learning_rate: {min: 1e-4, max: 1e-2, scale: log}",
        "trainer.units: {values: [32, 64, 128]}",
        "trainer.dropout: {min: 0.1, max: 0.6, step: 0.1}",
        "trainer.dropout: {min: 0, max: 0.6}",
        "trainer.embedding: {values: [32, 64]}",
        "trainer.embedding.width: {min: 32, max: 64}",
        "trainer.cell: {values: [gru, lstm]}",
        "trainer.bidirectional: {values: [true, false]}",
        "trainer.epochs: {values: [3, 4]}",
        "trainer.bigrams.width: {values: [3]}",
    ],
)
def test_a_space_of_allowed_values_is_read(tmp_path: Path, space: str) -> None:
    job = load(tmp_path, space)
    assert job.tune is not None
    assert list(job.tune.space) == [space.partition(":")[0]]
    assert (job.tune.trials, job.tune.objective, job.tune.use) == (10, "eval_loss", False)


@pytest.mark.parametrize(
    ("space", "parts"),
    [
        ("trainer.unit: {values: [3]}", ["key trainer.unit is unknown", "job.yaml:8", "did you mean trainer.units?"]),
        ("units: {values: [3]}", ["units cannot be searched", "did you mean trainer.units?"]),
        ("transform.min_count: {values: [3]}", ["transform.min_count cannot be searched", "a key under trainer"]),
        ("trainer.embedding.with: {values: [3]}", ["trainer.embedding.with is unknown", "trainer.embedding.width?"]),
        ("trainer.units.x: {values: [3]}", ["trainer.units is not a section", "found: 64"]),
        ("trainer.embedding.from: {values: [a]}", ["trainer.embedding.from cannot be searched", "names a file"]),
        ("trainer.units: {values: [a, b]}", ["trainer.units has an invalid value", "found: a", "a valid integer"]),
        ("trainer.units: {min: 0.5, max: 8}", ["trainer.units has an invalid value", "found: 0.5", "a valid integer"]),
        ("trainer.units: {min: 0, max: 8}", ["found: 0", "greater than 0"]),
        ("trainer.dropout: {min: 0.1, max: 1.2, step: 0.1}", ["found: 1.0", "less than 1"]),
        ("trainer.cell: {values: [gru, lstn]}", ["found: lstn", "'gru'"]),
        ("trainer.embedding: {min: 8, max: 16}", ["trainer.embedding is a section and cannot have a range"]),
        ("trainer.batch_tokens: {values: [200, 50]}", ["cannot hold one document if trainer.batch_tokens is 50"]),
        ("trainer.units: {min: 8, max: 4}", ["tune.space.trainer.units.min", "min is not below max", "min 8, max 4"]),
        ("trainer.units: {vales: [8]}", ["key tune.space.trainer.units.vales is unknown", "did you mean values?"]),
    ],
)
def test_invalid_spaces_are_reported(tmp_path: Path, space: str, parts: list[str]) -> None:
    with pytest.raises(JobError) as caught:
        load(tmp_path, space)
    assert [part for part in parts if part not in str(caught.value)] == []


UNITS = "trainer.units: {values: [3, 4]}"
WORKERS = "A search cannot use several workers"


@pytest.mark.parametrize(
    ("space", "algorithm", "overrides", "part"),
    [
        ("trainer.epochs: {values: [3, 4]}", "hyperband", [], "trainer.epochs cannot be searched with hyperband"),
        ("trainer.bigrams.width: {values: [3]}", "random", ["trainer.bigrams=null"], "set trainer.bigrams to"),
        (UNITS, "random", ["trainer.strategy=multi_worker"], WORKERS),
        ("trainer.strategy: {values: [one_device, multi_worker]}", "random", [], WORKERS),
        (UNITS, "random", ["corpus.label=null"], "A classifier needs labels"),
    ],
)
def test_spaces_that_do_not_fit_the_job_are_reported_once(tmp_path, space, algorithm, overrides, part):
    with pytest.raises(JobError) as caught:
        load(tmp_path, space, algorithm, *overrides)
    assert str(caught.value).count(part) == 1
