"""Gates of word vectors: on what they rest, and that words and TensorFlow Model Analysis agree."""

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

from pipeline.config.job import ClassifierConfig, Word2vecConfig
from pipeline.dag import gates

EVALUATION = {"pairs": {"ws": "ws.tsv", "sl": "sl.txt"}, "analogies": {"qs": "qs.txt"}}


def config(evaluation: dict[str, Any] = EVALUATION, **values: dict[str, Any]) -> Word2vecConfig:
    corpus = {"format": "text", "path": "x.txt"}
    return Word2vecConfig.model_validate(
        {"name": "a", "task": "word2vec", "corpus": corpus, "evaluation": evaluation, "gates": values}
    )


def metrics(job: Word2vecConfig) -> dict[str, Any]:
    (spec,) = gates.eval_config(job, "digest").metrics_specs
    return {json.loads(metric.config)["name"]: metric for metric in spec.metrics}


def test_the_judge_sees_all_sets_and_their_sections() -> None:
    found = gates.eval_config(config())
    (model,) = found.model_specs
    assert (model.signature_name, model.label_key, model.prediction_key) == ("judge", "", "")
    assert [list(spec.feature_keys) for spec in found.slicing_specs] == [[], ["source"], ["source", "section"]]


def test_the_metrics_are_those_that_the_sets_allow() -> None:
    assert list(metrics(config())) == ["spearman", "analogy_accuracy", "coverage", "loss", "documents"]
    assert list(metrics(config({"pairs": {"ws": "x"}}))) == ["spearman", "coverage", "loss", "documents"]
    assert list(metrics(config({}))) == ["loss", "documents"]


def test_the_metrics_exist_where_they_are_named_and_know_their_code() -> None:
    for name, metric in metrics(config(spearman={"min": 0.5}, analogy_accuracy={"min": 0.1})).items():
        options = json.loads(metric.config)
        if name == "documents":
            assert (metric.class_name, metric.module) == ("ExampleCount", "")
            continue
        made = getattr(importlib.import_module(metric.module), metric.class_name)(**options)
        assert made.name == name
        assert options["code"] == "digest"
        assert options.get("gated", False) == name.startswith("gated_")


def test_thresholds_stand_on_twins_that_leave_out_what_is_covered_too_little() -> None:
    job = config(spearman={"min": 0.5, "max_drop": 0.02, "slices": {"ws": {"min": 0.6}}}, loss={"max": 3})
    found = metrics(job)
    assert list(found) == ["spearman", "gated_spearman", "analogy_accuracy", "coverage", "loss", "documents"]
    limits = {name: metric.per_slice_thresholds for name, metric in found.items()}
    assert {name: len(of) for name, of in limits.items() if of} == {"gated_spearman": 2, "loss": 1}
    overall, of_set = limits["gated_spearman"]
    assert overall.threshold.value_threshold.lower_bound.value == 0.5
    assert overall.threshold.change_threshold.absolute.value == -0.02
    assert [dict(place.feature_values) for place in of_set.slicing_specs] == [{"source": "ws"}]
    assert of_set.threshold.value_threshold.lower_bound.value == 0.6


def test_the_classifier_s_configuration_does_not_change_with_the_code_of_these_metrics() -> None:
    corpus = {"format": "csv", "path": "x", "label": "y"}
    job = ClassifierConfig.model_validate({"name": "a", "task": "classifier", "corpus": corpus})
    assert gates.eval_config(job, "1") == gates.eval_config(job, "2")
    assert gates.eval_config(config(), "1") != gates.eval_config(config(), "2")


METRICS = {
    "overall": {
        "spearman": 0.4,
        "gated_spearman": 0.55,
        "analogy_accuracy": 0.2,
        "gated_analogy_accuracy": 1,
        "loss": 2,
    },
    "source=ws": {"spearman": 0.55, "gated_spearman": 0.55},
    "source=sl": {"spearman": 0.25, "gated_spearman": 1.0},
}
BASELINE = {"overall": {"spearman": 0.1, "gated_spearman": 0.56, "gated_analogy_accuracy": 1, "loss": 2.5}}


@pytest.mark.parametrize(
    ("gate", "uncovered", "expected"),
    [
        ({"spearman": {"min": 0.5}}, {}, [(True, "spearman is 0.5500, which meets at least 0.5")]),
        (
            {"spearman": {"min": 0.6}},
            {"sl": 0.319},
            [
                (True, "coverage 0.31 of sl is below evaluation.min_coverage 0.5: not gated"),
                (False, "spearman over ws is 0.5500, but must be at least 0.6"),
            ],
        ),
        (
            {"spearman": {"min": 0.6, "max_drop": 0.01}},
            {"sl": 0.0, "ws": 0.4999},
            [
                (True, "coverage 0.49 of ws is below evaluation.min_coverage 0.5: not gated"),
                (True, "coverage 0.00 of sl is below evaluation.min_coverage 0.5: not gated"),
            ],
        ),
        (
            {"spearman": {"slices": {"ws": {"min": 0.5}, "sl": {"min": 0.3}}}},
            {"sl": 0.2, "qs": 0.1},
            [
                (True, "coverage 0.20 of sl is below evaluation.min_coverage 0.5: not gated"),
                (True, "spearman on source=ws is 0.5500, which meets at least 0.5"),
            ],
        ),
        (
            {"spearman": {"max_drop": 0.02}},
            {},
            [(True, "spearman is 0.0100 worse than the last blessed model's 0.5600, within the margin of 0.02")],
        ),
        (
            {"analogy_accuracy": {"min": 0.3}},
            {"qs": 0.1},
            [(True, "coverage 0.10 of qs is below evaluation.min_coverage 0.5: not gated")],
        ),
        (
            {"loss": {"max": 1.5, "max_rise": 0}},
            {"ws": 0.1, "sl": 0.1},
            [
                (False, "loss is 2.0000, but must be at most 1.5"),
                (True, "loss is 0.5000 better than the last blessed model's 2.5000, within the margin of 0"),
            ],
        ),
    ],
)
def test_a_threshold_is_judged_in_a_sentence(
    gate: dict[str, Any], uncovered: dict[str, float], expected: list[tuple[bool, str]]
) -> None:
    assert list(gates.reasons(config(**gate), METRICS, BASELINE, uncovered)) == expected


LEVELS = st.sampled_from([-0.5, 0.0, 0.1, 0.3, 0.5, 0.9, 1.0, math.nan])
LIMITS = st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0])
SETS = ("ws", "sl", "qs")


def gate(bound: str, margin: str, *sets: str) -> st.SearchStrategy[dict[str, Any]]:
    slices = st.dictionaries(st.sampled_from(sets), st.fixed_dictionaries({bound: LIMITS}))
    optional = {bound: LIMITS, margin: LIMITS, "slices": slices}
    return st.fixed_dictionaries({}, optional=optional).filter(bool)


GATES = st.fixed_dictionaries(
    {},
    optional={
        "spearman": gate("min", "max_drop", "ws", "sl"),
        "analogy_accuracy": gate("min", "max_drop", "qs"),
        "loss": gate("max", "max_rise", "eval"),
    },
)


@st.composite
def judged(draw: st.DrawFn, uncovered: frozenset[str]) -> gates.Metrics:
    """What the metrics give where these sets gate nothing: twins are 1 where nothing is left."""
    found: dict[str, dict[str, float]] = {}
    parts = {f"{place}{one}": (one,) for one in SETS for place in ("source=", f"section={one},source=")}
    for place, sets in {"overall": SETS, **parts}.items():
        values = found[place] = {"documents": 10.0, "loss": draw(LEVELS)}
        for name, of in (("spearman", ("ws", "sl")), ("analogy_accuracy", ("qs",))):
            gating = [one for one in of if one in sets and one not in uncovered]
            values[name] = draw(LEVELS)
            values[f"gated_{name}"] = draw(LEVELS) if gating else 1.0
    found["source=eval"] = {"documents": 10.0, "loss": draw(LEVELS)} | dict.fromkeys(
        ("spearman", "analogy_accuracy"), math.nan
    )
    found["source=eval"] |= {"gated_spearman": 1.0, "gated_analogy_accuracy": 1.0}
    return found


@given(st.data(), GATES, st.frozensets(st.sampled_from(SETS)), st.booleans())
@settings(deadline=None)
def test_the_sentences_agree_with_the_verdict(
    data: st.DataObject, values: dict[str, Any], uncovered: frozenset[str], compared: bool
) -> None:
    job = config(**values)
    candidate = data.draw(judged(uncovered))
    baseline = data.draw(judged(uncovered)) if compared else None
    # As TFX's Evaluator calls it.
    evaluated = config_util.update_eval_config_with_defaults(
        gates.eval_config(job), has_baseline=compared, rubber_stamp=True
    )
    keys = metric_specs.metric_thresholds_from_metrics_specs(evaluated.metrics_specs, eval_config=evaluated)
    verdicts = []
    for place, now in candidate.items():
        slice_key = tuple(tuple(part.split("=")) for part in place.split(",")) if place != "overall" else ()
        numbers = {
            key: now[key.name] - (baseline[place][key.name] if key.is_diff and baseline else 0)
            for key in keys
            if baseline is None or key.model_name == "candidate"
        }
        verdicts.append(metrics_validator.validate_metrics((slice_key, numbers), evaluated).validation_ok)
    shares = dict.fromkeys(uncovered, 0.1)
    assert all(met for met, _ in gates.reasons(job, candidate, baseline, shares)) == all(verdicts)
