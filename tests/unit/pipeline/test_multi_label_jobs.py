"""Classifier jobs whose documents have any number of labels: what they allow, and how they are judged."""

from __future__ import annotations

import importlib
import json

import pytest
import tensorflow as tf

from pipeline.cli import predict
from pipeline.config import job as config
from pipeline.dag import gates
from pipeline.tasks.metric import MULTI_LABEL
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
    return config.load(path, overrides)


def test_the_job_is_a_classifier_that_is_trained_and_judged_in_its_own_way(tmp_path):
    job = load(tmp_path, JOB, "trainer.thresholds={crime: 0.3}")
    assert isinstance(job, config.ClassifierConfig)
    assert (job.corpus.kind.name, job.corpus.class_names) == ("multi_labelled_text", ("comedy", "crime"))
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
        (["gates.micro_f1={max: 0.5}"], ["higher is better"]),
        (["gates.micro_f1={min: 80}"], ["between 0 and 1", "mean 0.8"]),
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


def test_the_evaluator_measures_what_gates_may_name(tmp_path):
    found = gates.eval_config(load(tmp_path, JOB), "digest")
    (model,) = found.model_specs
    assert (model.signature_name, model.label_key) == ("judge", "")
    assert [list(spec.feature_keys) for spec in found.slicing_specs] == [[], ["source"]]
    (spec,) = found.metrics_specs
    metrics = {json.loads(metric.config)["name"]: metric for metric in spec.metrics}
    assert set(metrics) == {*MULTI_LABEL, "documents"}
    for name in MULTI_LABEL:
        options = json.loads(metrics[name].config)
        made = getattr(importlib.import_module(metrics[name].module), metrics[name].class_name)(**options)
        assert (made.name, options["code"]) == (name, "digest")
    (overall, web) = metrics["micro_f1"].per_slice_thresholds
    assert overall.threshold.value_threshold.lower_bound.value == 0.5
    assert overall.threshold.change_threshold.absolute.value == -0.1
    assert (web.slicing_specs[0].feature_values["source"], web.threshold.value_threshold.lower_bound.value) == (
        "web",
        0.4,
    )


class ByLetter(tf.Module):
    """A text has the labels whose letters it has."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text):
        has = tf.stack([tf.strings.regex_full_match(text, f".*{letter}.*") for letter in "ab"], axis=1)
        names = tf.tile([["A", "B"]], [tf.size(text), 1])
        return {"labels": names, "predicted": has, "probabilities": tf.where(has, 0.75, 0.25)}


def test_predict_names_the_labels_that_a_text_has(tmp_path):
    module = ByLetter()
    tf.saved_model.save(module, str(tmp_path / "m"), {"serving_default": module.serve})
    assert list(predict.predict(tmp_path / "m", ["ab", "b", ""])) == [
        {"text": "ab", "labels": ["A", "B"], "probabilities": {"A": 0.75, "B": 0.75}},
        {"text": "b", "labels": ["B"], "probabilities": {"A": 0.25, "B": 0.75}},
        {"text": "", "labels": [], "probabilities": {"A": 0.25, "B": 0.25}},
    ]
