"""What a run found, gathered from its artifacts: counts, training, metrics, verdict, version."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.learning_check.executor import FINDINGS
from pipeline.config.job import Goal, RunConfig, SupervisedConfig
from pipeline.dag import gates
from pipeline.dag.lineage import Execution, Output
from pipeline.runs.record import Pushed, RunRecord, RunState, Verdict
from trainer.errors import JobError
from trainer.tuning.values import trainer_values

Executions = Mapping[str, Execution]

_SETS = ("EvaluationSets", "evaluation_examples")
_ONE_SECTION = re.compile(r"source=(.*),section=\1")
"""The slice of the only section of a source, which is all of it."""


_ENDS: Mapping[Goal, RunState] = {"publish": "done", "tune": "tuned", "check": "checked"}
"""How a run ends that publishes nothing."""


def complete(
    record: RunRecord, config: RunConfig, executions: Executions, *, goal: Goal = "publish", whole: bool
) -> RunRecord:
    """Adds to a run's record what its components found.

    Args:
        record: The record of a run all of whose components are done.
        config: The job.
        executions: Its executions by component.
        goal: What the run was for.
        whole: Whether the pipeline ran to its end.
    """
    metrics, verdict = _judged(config, executions)
    _check_counts(executions, metrics)
    pushed, new = _pushed(executions.get("Pusher"))
    state: RunState = _ENDS[goal]
    if whole:
        state = "not_blessed" if not verdict.blessed else "pushed" if new else "unchanged"
    return record.updated(
        state=state, metrics=metrics, verdict=verdict, pushed=pushed, details=_details(config, executions)
    )


def _check_counts(executions: Executions, metrics: gates.Metrics) -> None:
    """The stock components saw every document, too."""
    corpus = _output(executions, "CorpusExampleGen", "examples")
    expected = json.loads(corpus.properties["split_documents"]) if corpus else {}
    seen: dict[str, tuple[dict[str, float], dict[str, float]]] = {}
    statistics = _output(executions, "StatisticsGen", "statistics")
    if statistics is not None:
        loaded = {split: _statistics(Path(statistics.uri, f"Split-{split}")) for split in expected}
        seen["StatisticsGen"] = {split: found.datasets[0].num_examples for split, found in loaded.items()}, expected
    if metrics:
        sets = _output(executions, *_SETS)
        judged = json.loads(sets.properties["split_documents"]) if sets else {"test": expected["test"]}
        seen["Evaluator"] = {"test": metrics[gates.OVERALL]["documents"]}, judged
    for component, (counts, wanted) in seen.items():
        if counts != wanted:
            raise JobError(
                f"{component} did not see every document once.",
                where=component,
                found=str(counts),
                expected=str(wanted),
                fix="run again with --no-cache",
            )


def _judged(config: RunConfig, executions: Executions) -> tuple[gates.Metrics, Verdict]:
    evaluator = executions.get("Evaluator")
    if evaluator is None:
        return {}, Verdict()
    directory = evaluator.outputs["evaluation"].uri
    compared = "baseline_model" in evaluator.inputs
    candidate = _metrics(directory, "candidate" if compared else None)
    baseline = _metrics(directory, "baseline") if compared else None
    blessed = evaluator.outputs["blessing"].properties["blessed"] == 1
    uncovered = {name: known["share"] for name, known in _coverage(executions).items() if not known["gates"]}
    judged = list(gates.reasons(config, candidate, baseline, uncovered))
    sentences = [sentence for met, sentence in judged if met == blessed] + [
        sentence for met, sentence in judged if met != blessed
    ]
    if not blessed and all(met for met, _ in judged):
        sentences.insert(0, _stock_reason(directory))
    return _shown(candidate), Verdict(blessed=blessed, reasons=tuple(sentences))


def _coverage(executions: Executions) -> dict[str, dict[str, Any]]:
    """How much of each set that word vectors are judged by the vocabulary knows; empty for other tasks."""
    sets = _output(executions, *_SETS)
    coverage: dict[str, dict[str, Any]] = json.loads(sets.properties["coverage"]) if sets else {}
    return coverage


def _shown(metrics: gates.Metrics) -> gates.Metrics:
    """Metrics as people see them: with a value, on slices that say something new."""
    return {
        place: {name: value for name, value in values.items() if not (name.startswith(gates.TWIN) or math.isnan(value))}
        for place, values in metrics.items()
        if not _ONE_SECTION.fullmatch(place)
    }


def _metrics(directory: str, model: str | None) -> gates.Metrics:
    result = tfma.load_eval_result(directory, model_name=model)
    return {_place(key): _lowest(values[""]) for key, values in result.slicing_metrics}


def _place(key: tuple[tuple[str, Any], ...]) -> str:
    """Names a slice, the source before what parts it."""
    ordered = sorted(key, key=lambda pair: pair[0] != "source")
    return ",".join(f"{name}={value}" for name, value in ordered) or gates.OVERALL


def _lowest(by_class: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, float]:
    """Values by metric; of those told by class the lowest. Differences to the baseline are left out."""
    found: dict[str, float] = {}
    for metrics in by_class.values():
        for name, value in metrics.items():
            if "doubleValue" in value and not name.endswith("_diff"):
                number = float(value["doubleValue"])  # NaN and infinity are texts.
                found[name] = min(number, found.get(name, number))
    return found


def _stock_reason(directory: str) -> str:
    result = tfma.load_validation_result(directory)
    names = sorted({f.metric_key.name for s in result.metric_validations_per_slice for f in s.failures})
    return f"TensorFlow Model Analysis refuses it for {', '.join(names) or 'a missing metric'}"


def _pushed(pusher: Execution | None) -> tuple[Pushed | None, bool]:
    if pusher is None:
        return None, False
    properties = pusher.outputs["pushed_model"].properties
    version = properties.get("pushed_version")
    if not version:
        return None, False
    return Pushed(version=version, path=properties["pushed_destination"]), properties["pushed"] == 1


def _details(config: RunConfig, executions: Executions) -> dict[str, Any]:
    details: dict[str, Any] = {}
    corpus = _output(executions, "CorpusExampleGen", "examples")
    if corpus is not None:
        details["corpus"] = {
            "records": corpus.properties["records_read"],
            "quarantined": corpus.properties["records_quarantined"],
            "duplicates": json.loads(corpus.properties["split_duplicates"]),
            "reasons": json.loads(corpus.properties["quarantine_reasons"]),
            "documents": json.loads(corpus.properties["split_documents"]),
        }
    anomalies = _output(executions, "ExampleValidator", "anomalies")
    if anomalies is not None:
        details["anomalies"] = read_anomalies(Path(anomalies.uri))
    graph = _output(executions, "SequenceTransform", "transform_graph")
    if graph is not None:
        details["transform"] = json.loads(Path(graph.uri, "summary.json").read_text())
    coverage = _coverage(executions)
    if coverage:
        details["coverage"] = coverage
    training = _output(executions, "Trainer", "model_run")
    if training is not None:
        details["training"] = json.loads(Path(training.uri, "training.json").read_text())
        details["tensorboard"] = training.uri
        best = executions["Trainer"].inputs.get("hyperparameters")
        if best is not None:
            details["hyperparameters"] = {"values": _best_values(best.uri), "path": best.uri}
    learning = _output(executions, "LearningCheck", "model_run")
    if learning is not None:
        details["learning_check"] = json.loads(Path(learning.uri, FINDINGS).read_text())
    results = _output(executions, "Tuner", "tuner_results")
    if results is not None and isinstance(config, SupervisedConfig) and config.tune is not None:
        details["tuning"] = _tuning(config.tune.objective, results.uri, executions["Tuner"])
    return details


def _tuning(objective: str, results: str, tuner: Execution) -> dict[str, Any]:
    """The trials that came to their end, the best first, and where the best one's hyperparameters are."""
    trials = json.loads(Path(results, "tuner_results.json").read_text())
    return {
        "objective": objective,
        "trials": [
            {"trial": int(trial["trial_id"]) + 1, objective: trial["score"], "values": trainer_values(trial)}
            for trial in trials
        ],
        "path": tuner.outputs["best_hyperparameters"].uri,
    }


def _best_values(directory: str) -> dict[str, Any]:
    """The best values by key, from an artifact as TFX's Tuner writes it."""
    found = json.loads(Path(directory, "best_hyperparameters.txt").read_text())
    return trainer_values(found["values"])


def _statistics(directory: Path) -> statistics_pb2.DatasetFeatureStatisticsList:
    return statistics_pb2.DatasetFeatureStatisticsList.FromString(directory.joinpath("FeatureStats.pb").read_bytes())


def _output(executions: Executions, component: str, channel: str) -> Output | None:
    execution = executions.get(component)
    return None if execution is None else execution.outputs.get(channel)


def read_anomalies(directory: Path) -> list[dict[str, Any]]:
    """Reads what the validation found.

    Args:
        directory: An ExampleAnomalies artifact.

    Returns:
        The anomalies of all splits as JSON objects with the fields of `Anomaly`.
    """
    paths = sorted(directory.glob("Split-*/anomalies.json"))
    return [anomaly for path in paths for anomaly in json.loads(path.read_text(encoding="utf-8"))]
