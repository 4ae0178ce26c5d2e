"""Gates as TFX's evaluation config and in words, and that both agree with TensorFlow Model Analysis."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics import metric_specs
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.utils import config_util

from pipeline.config.job import ClassifierConfig, RunConfig
from pipeline.dag import gates


def config(classes: tuple[str, ...] = ("negative", "positive"), **values: dict[str, Any]) -> RunConfig:
    corpus = {"format": "csv", "path": "x.csv", "label": "label", "source": "source", "labels": list(classes)}
    return ClassifierConfig.model_validate({"name": "a", "task": "classifier", "corpus": corpus, "gates": values})


def judge(job: RunConfig, candidate: gates.Metrics, baseline: gates.Metrics | None = None) -> list[tuple[bool, str]]:
    return list(gates.reasons(job, candidate, baseline))


def metric(job: RunConfig, name: str) -> config_pb2.MetricConfig:
    specs = gates.eval_config(job).metrics_specs
    (found,) = [metric for spec in specs for metric in spec.metrics if f'"{name}"' in metric.config]
    return found


@pytest.mark.parametrize(
    ("gate", "candidate", "baseline", "expected"),
    [
        (
            {"accuracy": {"min": 0.85}},
            {"accuracy": 0.85},
            None,
            (True, "accuracy is 0.8500, which meets at least 0.85"),
        ),
        (
            {"accuracy": {"min": 0.85}},
            {"accuracy": 0.8123456},
            None,
            (False, "accuracy is 0.8123, but must be at least 0.85"),
        ),
        ({"loss": {"max": 0.4}}, {"loss": 0.3}, None, (True, "loss is 0.3000, which meets at most 0.4")),
        ({"loss": {"max": 0.4}}, {"loss": 0.5}, None, (False, "loss is 0.5000, but must be at most 0.4")),
        (
            {"accuracy": {"max_drop": 0.01}},
            {"accuracy": 0.9},
            None,
            (True, "accuracy: no earlier blessed model to compare with"),
        ),
        (
            {"accuracy": {"max_drop": 0.01}},
            {"accuracy": 0.89},
            {"accuracy": 0.895},
            (True, "accuracy is 0.0050 worse than the last blessed model's 0.8950, within the margin of 0.01"),
        ),
        (
            {"accuracy": {"max_drop": 0.01}},
            {"accuracy": 0.8},
            {"accuracy": 0.895},
            (False, "accuracy is 0.0950 worse than the last blessed model's 0.8950, beyond the margin of 0.01"),
        ),
        (
            {"accuracy": {"max_drop": 0}},
            {"accuracy": 0.91},
            {"accuracy": 0.9},
            (True, "accuracy is 0.0100 better than the last blessed model's 0.9000, within the margin of 0"),
        ),
        (
            {"loss": {"max_rise": 0.1}},
            {"loss": 0.5},
            {"loss": 0.3},
            (False, "loss is 0.2000 worse than the last blessed model's 0.3000, beyond the margin of 0.1"),
        ),
        (
            {"loss": {"max_rise": 0.1}},
            {"loss": 0.2},
            {"loss": 0.3},
            (True, "loss is 0.1000 better than the last blessed model's 0.3000, within the margin of 0.1"),
        ),
        (
            {"auc": {"min": 0.5}},
            {"auc": float("nan")},
            None,
            (False, "auc is nan, but must be at least 0.5"),
        ),
    ],
)
def test_a_threshold_is_judged_in_a_sentence(
    gate: dict, candidate: dict, baseline: dict | None, expected: tuple[bool, str]
) -> None:
    before = None if baseline is None else {"overall": baseline}
    assert judge(config(**gate), {"overall": candidate}, before) == [expected]


def test_thresholds_of_sources_are_judged_on_their_documents() -> None:
    job = config(accuracy={"min": 0.8, "slices": {"imdb": {"min": 0.9}, "rt": {"min": 0.7}, "blog": {"min": 0.1}}})
    candidate = {"overall": {"accuracy": 0.85}, "source=imdb": {"accuracy": 0.85}, "source=rt": {"accuracy": 0.75}}
    assert judge(job, candidate) == [
        (True, "accuracy is 0.8500, which meets at least 0.8"),
        (False, "accuracy on source=imdb is 0.8500, but must be at least 0.9"),
        (True, "accuracy on source=rt is 0.7500, which meets at least 0.7"),
        (False, "accuracy on source=blog: no such documents in the test split"),
    ]


def test_a_job_without_gates_has_nothing_to_say() -> None:
    assert judge(config(), {"overall": {"accuracy": 0.1}}) == []


def test_all_thresholds_of_all_gates_are_judged() -> None:
    job = config(accuracy={"min": 0.8, "max_drop": 0.1}, loss={"max": 1.0, "max_rise": 0.1})
    metrics = {"overall": {"accuracy": 0.9, "loss": 0.5}}
    assert [met for met, _ in judge(job, metrics, metrics)] == [True] * 4


def test_value_thresholds_become_bounds() -> None:
    job = config(accuracy={"min": 0.8}, loss={"max": 0.5})
    (accuracy,) = metric(job, "accuracy").per_slice_thresholds
    assert accuracy == config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()],
        threshold=config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": 0.8})
        ),
    )
    (loss,) = metric(job, "loss").per_slice_thresholds
    assert loss.threshold == config_pb2.MetricThreshold(
        value_threshold=config_pb2.GenericValueThreshold(upper_bound={"value": 0.5})
    )


def test_margins_become_changes_with_a_direction() -> None:
    job = config(accuracy={"max_drop": 0.01}, loss={"max_rise": 0.2})
    (accuracy,) = metric(job, "accuracy").per_slice_thresholds
    assert accuracy.threshold == config_pb2.MetricThreshold(
        change_threshold=config_pb2.GenericChangeThreshold(
            absolute={"value": -0.01}, direction=config_pb2.MetricDirection.HIGHER_IS_BETTER
        )
    )
    (loss,) = metric(job, "loss").per_slice_thresholds
    assert loss.threshold == config_pb2.MetricThreshold(
        change_threshold=config_pb2.GenericChangeThreshold(
            absolute={"value": 0.2}, direction=config_pb2.MetricDirection.LOWER_IS_BETTER
        )
    )


def test_thresholds_of_sources_are_set_on_their_slices() -> None:
    found = metric(config(accuracy={"min": 0.8, "slices": {"rt": {"min": 0.7}}}), "accuracy").per_slice_thresholds
    assert [dict(place.feature_values) for t in found for place in t.slicing_specs] == [{}, {"source": "rt"}]
    assert [t.threshold.value_threshold.lower_bound.value for t in found] == [0.8, 0.7]


def test_metrics_are_taken_overall_and_by_source_of_raw_examples() -> None:
    found = gates.eval_config(config(accuracy={"min": 0.8}))
    assert [list(spec.feature_keys) for spec in found.slicing_specs] == [[], ["source"]]
    (model,) = found.model_specs
    assert (model.signature_name, model.label_key, model.prediction_key) == (
        "serve_examples",
        "label_id",
        "probabilities",
    )
    assert list(model.preprocessing_function_names) == ["label_ids"]
    names = [metric.class_name for spec in found.metrics_specs for metric in spec.metrics]
    assert names == ["SparseCategoricalAccuracy", "SparseCategoricalCrossentropy", "ExampleCount", "AUC"]


@pytest.mark.parametrize(("classes", "expected"), [(("a", "b"), [1]), (("a", "b", "c"), [0, 1, 2])])
def test_the_auc_is_that_of_the_last_of_two_or_of_each_of_more(classes: tuple[str, ...], expected: list[int]) -> None:
    found = gates.eval_config(config(classes)).metrics_specs[-1]
    assert list(found.binarize.class_ids.values) == expected


LEVELS = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
PLACES = {"overall": (), "source=imdb": (("source", "imdb"),), "source=rt": (("source", "rt"),)}
METRICS = st.fixed_dictionaries(
    {place: st.fixed_dictionaries({"accuracy": LEVELS, "auc": LEVELS, "loss": LEVELS}) for place in PLACES}
)


def gate(bound: str, margin: str) -> st.SearchStrategy[dict[str, Any]]:
    slices = st.dictionaries(st.sampled_from(["imdb", "rt"]), st.fixed_dictionaries({bound: LEVELS}))
    optional = {bound: LEVELS, margin: LEVELS, "slices": slices}
    return st.fixed_dictionaries({}, optional=optional).filter(bool)


GATES = st.fixed_dictionaries(
    {}, optional={"accuracy": gate("min", "max_drop"), "auc": gate("min", "max_drop"), "loss": gate("max", "max_rise")}
)


def stock_verdict(job: RunConfig, candidate: gates.Metrics, baseline: gates.Metrics | None) -> bool:
    """What TensorFlow Model Analysis decides of the same metrics."""
    # As TFX's Evaluator calls it.
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


@given(GATES, METRICS, st.none() | METRICS)
@settings(deadline=None)
def test_the_sentences_agree_with_the_verdict(
    values: dict, candidate: gates.Metrics, baseline: gates.Metrics | None
) -> None:
    job = config(**values)
    assert all(met for met, _ in judge(job, candidate, baseline)) == stock_verdict(job, candidate, baseline)
