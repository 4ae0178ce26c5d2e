"""Gates as the Evaluator's configuration; TensorFlow Model Analysis agrees with the sentences."""

import functools
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics import metric_specs
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.utils import config_util
from tensorflow_model_analysis.writers import metrics_plots_and_validations_writer as writer

from components.evaluator.figure_metric import FigureMetric
from components.evaluator.results import OVERALL, Metrics
from pipeline.config.job import Job
from pipeline.dag import gates, verdict

MakeJob = Callable[..., Job]
BIO, PARTS = ["O", "B-X", "I-X"], ["DT", "NN"]
SPANS = ["span_f1", "span_precision", "span_recall"]
SHARES = ["macro_f1", "micro_f1", "micro_precision", "micro_recall"]
WORDS = ["spearman", "analogy_accuracy", "coverage", "loss"]
BY_SOURCE = [[], ["source"]]
BY_SET = [[], ["gates"], ["source", "gates"], ["source", "section"]]


def metrics(job: Job) -> dict[str, config_pb2.MetricConfig]:
    specs = gates.eval_config(job, "digest").metrics_specs
    return {json.loads(metric.config)["name"]: metric for spec in specs for metric in spec.metrics}


@pytest.mark.parametrize(
    ("task", "values", "model", "slices", "names"),
    [
        ("classifier", {}, "serve_examples", BY_SOURCE, ["accuracy", "loss", "auc", "documents"]),
        ("classifier", {"labels": None}, "serve_examples", BY_SOURCE, ["accuracy", "loss", "documents"]),
        (
            *("classifier", {"format": "text", "document": "file", "label": "folder", "source": None}),
            *("serve_examples", [[]], ["accuracy", "loss", "auc", "documents"]),
        ),
        ("classifier", {"multi_label": True}, "judge", BY_SOURCE, ["accuracy", "loss", *SHARES, "documents"]),
        ("tagger", {}, "judge", BY_SOURCE, ["token_accuracy", "loss", *SPANS, "documents"]),
        ("tagger", {"tags": BIO}, "judge", BY_SOURCE, ["token_accuracy", "loss", *SPANS, "documents"]),
        ("tagger", {"tags": PARTS}, "judge", BY_SOURCE, ["token_accuracy", "loss", "documents"]),
        *(("word2vec", values, "judge", BY_SET, [*WORDS, "documents"]) for values in ({}, {"evaluation": {}})),
    ],
)
def test_a_task_has_its_model_slices_and_metrics(gated, task, values, model, slices, names):
    job = gated(task, **values)
    found = gates.eval_config(job, "digest")
    (spec,) = found.model_specs
    assert spec == config_pb2.ModelSpec(signature_name=model)
    assert [list(spec.feature_keys) for spec in found.slicing_specs] == slices
    assert list(metrics(job)) == names
    for name, metric in metrics(job).items():
        options = json.loads(metric.config)
        if metric.class_name == "FigureMetric":
            assert FigureMetric(**options).name == name
            # Metrics computed by this project are keyed by its code.
            assert options["code"] == "digest"


def stock_verdict(job: Job, candidate: Metrics, baseline: Metrics | None) -> bool:
    """The verdict of TensorFlow Model Analysis on the same metrics."""
    # As TFX's Evaluator calls it.
    evaluated = config_util.update_eval_config_with_defaults(
        gates.eval_config(job), has_baseline=baseline is not None, rubber_stamp=True
    )
    keys = metric_specs.metric_thresholds_from_metrics_specs(evaluated.metrics_specs, eval_config=evaluated)
    found = []
    for place, values in candidate.items():
        before = (baseline or {}).get(place, {})
        numbers = {
            key: values.get(key.name, 10.0) - (before.get(key.name, 10.0) if key.is_diff else 0)
            for key in keys
            if baseline is None or key.model_name == "candidate"
        }
        parts = (part.split("=") for part in place.split(",") if place != OVERALL)
        key = tuple(sorted((name, int(value) if value.isdecimal() else value) for name, value in parts))
        found.append(metrics_validator.validate_metrics((key, numbers), evaluated))
    combine = writer.CombineValidations(evaluated)
    ok: bool = combine.extract_output(combine.merge_accumulators(found)).validation_ok
    return ok


NUMBERS = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0, math.nan])
LIMITS = st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0])


def gate(higher: bool, *sources: str) -> st.SearchStrategy[dict[str, Any]]:
    bound, margin = ("min", "max_drop") if higher else ("max", "max_rise")
    slices = st.dictionaries(st.sampled_from(sources), st.fixed_dictionaries({bound: LIMITS}), min_size=1)
    return st.fixed_dictionaries({}, optional={bound: LIMITS, margin: LIMITS, "slices": slices}).filter(bool)


def gates_of(**metrics: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Gates on some of the metrics, each with the sources that its slices may name."""
    return st.fixed_dictionaries({}, optional={name: gate(name != "loss", *of) for name, of in metrics.items()})


@st.composite
def measured(draw: st.DrawFn, names: list[str], places: list[str]) -> Metrics:
    return {place: {name: draw(NUMBERS) for name in names} for place in places}


SETS = {"ws": "spearman", "sl": "spearman", "qs": "analogy_accuracy"}
OF = ("x", "y")
GATES = {
    "classifier": gates_of(accuracy=OF, auc=OF, loss=OF),
    "tagger": gates_of(token_accuracy=OF, span_f1=OF, loss=OF),
    "word2vec": gates_of(spearman=("ws", "sl"), analogy_accuracy=("qs",), loss=("eval",)),
}


@pytest.mark.parametrize("task", GATES)
@given(st.data())
@settings(max_examples=150)
def test_the_sentences_agree_with_model_analysis(gated: MakeJob, task: str, data: st.DataObject) -> None:
    values = data.draw(GATES[task])
    job = gated(task, values)
    uncovered = data.draw(st.frozensets(st.sampled_from(sorted(SETS)))) if task == "word2vec" else frozenset()
    if task == "word2vec":
        names, sources = ["spearman", "analogy_accuracy", "loss"], ["eval"]
        places = ["overall", "gates=1", "source=eval", "source=eval,gates=1"]
        places += [f"source={one},gates={int(one not in uncovered)}" for one in SETS]
    else:
        names = sorted({"accuracy", "auc", "token_accuracy", "span_f1", "loss"})
        sources = data.draw(st.lists(st.sampled_from(OF), unique=True))
        places = ["overall", *(f"source={source}" for source in sources)]
    make = functools.partial(data.draw, measured(names, places))
    candidate, baseline = make(), make() if data.draw(st.booleans()) else None
    for name in {*SETS.values()} if task == "word2vec" else ():
        if uncovered.issuperset(one for one, metric in SETS.items() if metric == name):
            candidate["gates=1"][name] = math.nan  # type: ignore[index]
    judged = list(verdict.judge(job, candidate, baseline, dict.fromkeys(uncovered, 0.1)))
    assert all(met for met, _ in judged) == stock_verdict(job, candidate, baseline), judged
    for name in values:
        place = "gates=1" if name in SETS.values() else "overall"
        assert not (all(met for met, _ in judged) and math.isnan(candidate[place][name]))


def shares(documents: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(1, documents - 1), st.just(documents))


@given(st.sampled_from([7, 1_000, 10_000, 100_000_000]).flatmap(shares), st.integers(-1, 1), st.booleans())
@settings(max_examples=100)
def test_a_share_at_its_bound_passes_and_one_document_less_fails(gated, share, more, dropped) -> None:
    right, documents = share
    bound = right / documents
    candidate = {"overall": {"accuracy": (right + more) / documents}}
    baseline = None
    gate = {"min": bound}
    if dropped:
        # The margin is the decimal that a user writes for the same difference.
        drop = documents // 7
        gate = {"max_drop": drop / documents}
        candidate = {"overall": {"accuracy": (right + more) / documents}}
        baseline = {"overall": {"accuracy": (right + drop) / documents}}
    job = gated("classifier", {"accuracy": gate})
    ((met, _),) = verdict.judge(job, candidate, baseline)
    assert met == stock_verdict(job, candidate, baseline) == (more >= 0)
