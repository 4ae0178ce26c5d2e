"""Classifier jobs whose documents have any number of labels: what they allow, and what is said of what they do not."""

from __future__ import annotations

import pytest

from pipeline.tasks import loading
from trainer.errors import JobError

JOB = """\
name: films
task: classifier
corpus: {format: csv, path: films.csv, label: genres, multi_label: true, source: site, labels: [comedy, crime]}
gates: {micro_f1: {min: 0.5, max_drop: 0.1, slices: {web: {min: 0.4}}}, macro_f1: {min: 0.4}, loss: {max: 0.5}}
"""


def load(tmp_path, text, *overrides):
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return loading.load(path, overrides)


def test_the_job_is_a_classifier_with_thresholds(tmp_path):
    job = load(tmp_path, JOB, "trainer.thresholds={crime: 0.3}")
    assert (job.task, job.corpus.kind.name, job.corpus.class_names) == (
        "classifier",
        "multi_labelled_text",
        ("comedy", "crime"),
    )
    assert job.trainer.thresholds == {"crime": 0.3}
    assert load(tmp_path, JOB, "trainer.thresholds=tuned").trainer.thresholds == "tuned"
    assert load(tmp_path, JOB, "corpus.labels=null").trainer.thresholds == 0.5


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["trainer.class_weights=balanced"], ["trainer.class_weights", "cannot be combined", "remove class_weights"]),
        (["trainer.class_weights={crime: 2}"], ["trainer.class_weights", "cannot be combined"]),
        (["trainer.thresholds={crim: 0.5}"], ["trainer.thresholds", "unknown class", "mean crime"]),
        (["trainer.ngrams={longest: 2}"], ["trainer.ngrams", "one label per document", "remove ngrams"]),
        (["trainer.thresholds=2"], ["trainer.thresholds", "neither tuned nor a number between 0 and 1"]),
        (["corpus.multi_label=false", "gates={}", "trainer.thresholds=0.4"], ["trainer.thresholds", "most likely"]),
        (["gates.auc={min: 0.5}"], ["with multi_label has no metric auc", "micro_f1"]),
        (["gates.micro_f1={max: 0.5}"], ["micro_f1", "mean min"]),
        (["gates.micro_f1={min: 80}"], ["mean 0.8"]),
        (["corpus.label=null", "corpus.labels=null"], ["multi_label needs label"]),
        (["task=word2vec", "gates={}"], ["corpus.multi_label", "cannot have corpus.multi_label", "remove multi_label"]),
        (["task=tagger", "gates={}"], ["A tagger needs a tag for each token"]),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(tmp_path, overrides, parts):
    with pytest.raises(JobError) as caught:
        load(tmp_path, JOB, *overrides)
    for part in parts:
        assert part in str(caught.value)
