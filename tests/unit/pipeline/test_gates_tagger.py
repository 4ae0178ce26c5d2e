"""Gates of taggers: what is measured, and that words and TensorFlow Model Analysis agree."""

from __future__ import annotations

import importlib
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics import metric_specs
from tensorflow_model_analysis.utils import config_util

from pipeline.config.job import TaggerConfig
from pipeline.dag import gates
from pipeline.tasks.metric import METRICS

SPANS = ["span_f1", "span_precision", "span_recall"]


def config(tags: list[str] | None = None, **values: dict[str, Any]) -> TaggerConfig:
    corpus = {"format": "conll", "path": "x.txt", "tags": tags}
    transform = {"tokenizer": "whitespace"}
    return TaggerConfig.model_validate(
        {"name": "a", "task": "tagger", "corpus": corpus, "transform": transform, "gates": values}
    )


def metrics(job: TaggerConfig) -> dict[str, Any]:
    (spec,) = gates.eval_config(job, "digest").metrics_specs
    return {json.loads(metric.config)["name"]: metric for metric in spec.metrics}


def test_the_judge_sees_every_source() -> None:
    found = gates.eval_config(config())
    (model,) = found.model_specs
    assert (model.signature_name, model.label_key, model.prediction_key) == ("judge", "", "")
    assert [list(spec.feature_keys) for spec in found.slicing_specs] == [[], ["source"]]


def test_the_metrics_are_those_that_the_tags_allow() -> None:
    assert list(metrics(config())) == [*METRICS["tagger"], "documents"]
    assert list(metrics(config(["O", "B-X", "I-X"]))) == [*METRICS["tagger"], "documents"]
    assert list(metrics(config(["DT", "NN"]))) == ["token_accuracy", "loss", "documents"]


def test_the_metrics_exist_where_they_are_named_and_know_their_code() -> None:
    for name, metric in metrics(config(span_f1={"min": 0.5})).items():
        if name == "documents":
            continue
        options = json.loads(metric.config)
        made = getattr(importlib.import_module(metric.module), metric.class_name)(**options)
        assert (made.name, options["code"]) == (name, "digest")


@pytest.mark.parametrize("name", SPANS)
def test_spans_of_tags_that_mark_none_are_told_once(name: str) -> None:
    gate = {"min": 0.5, "max_drop": 0.1, "slices": {"x": {"min": 0.1}}}
    values = {"overall": {name: math.nan}, "source=x": {name: 0.3}}
    sentence = f"{name} has no value: not all tags of the test split are BIO tags (B-<type>, I-<type>, O)"
    assert list(gates.reasons(config(**{name: gate}), values, values)) == [(False, sentence)]


def test_a_last_model_without_a_value_is_told() -> None:
    job = config(span_f1={"max_drop": 0.1})
    (judged,) = gates.reasons(job, {"overall": {"span_f1": 0.5}}, {"overall": {"span_f1": math.nan}})
    assert judged == (False, "span_f1 is 0.5000, and the last blessed model has none to compare with")


PLACES = {"overall": (), "source=x": (("source", "x"),)}
LEVELS = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])
VALUES = st.fixed_dictionaries(
    {"token_accuracy": LEVELS, "loss": LEVELS, "span_f1": LEVELS, "span_precision": LEVELS, "span_recall": LEVELS}
)
METRIC_VALUES = st.fixed_dictionaries(dict.fromkeys(PLACES, VALUES)) | st.just(
    {place: {"token_accuracy": 0.5, "loss": 0.2, **dict.fromkeys(SPANS, math.nan)} for place in PLACES}
)


def gate(bound: str, margin: str) -> st.SearchStrategy[dict[str, Any]]:
    slices = st.dictionaries(st.just("x"), st.fixed_dictionaries({bound: LEVELS}))
    return st.fixed_dictionaries({}, optional={bound: LEVELS, margin: LEVELS, "slices": slices}).filter(bool)


GATES = st.fixed_dictionaries(
    {},
    optional={
        "span_f1": gate("min", "max_drop"),
        "token_accuracy": gate("min", "max_drop"),
        "loss": gate("max", "max_rise"),
    },
)


def stock_verdict(job: TaggerConfig, candidate: gates.Metrics, baseline: gates.Metrics | None) -> bool:
    """What TensorFlow Model Analysis decides of the same metrics."""
    evaluated = config_util.update_eval_config_with_defaults(
        gates.eval_config(job), has_baseline=baseline is not None, rubber_stamp=True
    )
    keys = metric_specs.metric_thresholds_from_metrics_specs(evaluated.metrics_specs, eval_config=evaluated)
    verdicts = []
    for place, slice_key in PLACES.items():
        now, before = ({"documents": 10.0, **(metrics or {}).get(place, {})} for metrics in (candidate, baseline))
        values = {
            key: now[key.name] - (before[key.name] if key.is_diff and baseline else 0)
            for key in keys
            if baseline is None or key.model_name == "candidate"
        }
        verdicts.append(metrics_validator.validate_metrics((slice_key, values), evaluated).validation_ok)
    return all(verdicts)


@given(GATES, METRIC_VALUES, st.none() | METRIC_VALUES)
@settings(deadline=None)
def test_the_sentences_agree_with_the_verdict(
    values: dict, candidate: gates.Metrics, baseline: gates.Metrics | None
) -> None:
    job = config(**values)
    met = all(met for met, _ in gates.reasons(job, candidate, baseline))
    assert met == stock_verdict(job, candidate, baseline)
    assert not (met and "span_f1" in values and math.isnan(candidate["overall"]["span_f1"]))
