"""Search spaces that a job cannot have, told when its YAML is read."""

from __future__ import annotations

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
        (
            "trainer.embedding.with: {values: [3]}",
            ["key trainer.embedding.with is unknown", "trainer.embedding.width?"],
        ),
        ("trainer.units.x: {values: [3]}", ["trainer.units is not a section", "found: 64"]),
        ("trainer.embedding.from: {values: [a]}", ["trainer.embedding.from cannot be searched", "names a file"]),
        ("trainer.units: {values: [a, b]}", ["trainer.units cannot have", "found: a", "a valid integer"]),
        ("trainer.units: {min: 0.5, max: 8}", ["trainer.units cannot have", "found: 0.5", "a valid integer"]),
        ("trainer.units: {min: 0, max: 8}", ["found: 0", "greater than 0"]),
        ("trainer.dropout: {min: 0.1, max: 1.2, step: 0.1}", ["found: 1.0", "less than 1"]),
        ("trainer.cell: {values: [gru, lstn]}", ["found: lstn", "'gru'"]),
        ("trainer.embedding: {min: 8, max: 16}", ["trainer.embedding is a section and cannot have a range"]),
        ("trainer.batch_tokens: {values: [200, 50]}", ["cannot hold one document if trainer.batch_tokens is 50"]),
        ("trainer.units: {min: 8, max: 4}", ["tune.space.trainer.units.min", "min is not below max", "min 8, max 4"]),
        ("trainer.units: {vales: [8]}", ["key tune.space.trainer.units.vales is unknown", "did you mean values?"]),
    ],
)
def test_what_no_trial_could_have_is_told(tmp_path: Path, space: str, parts: list[str]) -> None:
    with pytest.raises(JobError) as caught:
        load(tmp_path, space)
    for part in parts:
        assert part in str(caught.value)


def test_hyperband_gives_the_epochs_itself(tmp_path: Path) -> None:
    space = "trainer.epochs: {values: [3, 4]}"
    load(tmp_path, space)
    with pytest.raises(JobError, match=r"trainer\.epochs cannot be searched with hyperband"):
        load(tmp_path, space, "hyperband")


def test_a_section_that_is_off_has_no_keys(tmp_path: Path) -> None:
    space = "trainer.bigrams.width: {values: [3, 4]}"
    load(tmp_path, space)
    with pytest.raises(JobError, match=r"set trainer\.bigrams to a section"):
        load(tmp_path, space, "random", "trainer.bigrams=null")


def test_what_a_job_does_not_allow_anyway_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(JobError) as caught:
        load(tmp_path, "trainer.units: {values: [3, 4]}", "random", "corpus.label=null")
    assert str(caught.value).count("A classifier needs labels") == 1


def test_workers_do_not_share_a_search(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="A search cannot use several workers"):
        load(tmp_path, "trainer.units: {values: [3, 4]}", "random", "trainer.strategy=multi_worker")
    with pytest.raises(JobError, match="A search cannot use several workers"):
        load(tmp_path, "trainer.strategy: {values: [one_device, multi_worker]}")
