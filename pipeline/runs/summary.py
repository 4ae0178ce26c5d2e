"""Completes a run's record from its artifacts: counts, training, metrics, verdict, version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.evaluator.results import OVERALL, Metrics, read_metrics
from components.learning_check.component import FINDINGS
from components.linear_baseline.component import read_results
from components.pusher.executor import WITHDRAWN
from components.pusher.serving_history import HistoryEntry
from pipeline.config.job import Job
from pipeline.dag import verdict
from pipeline.dag.lineage import Execution, Output
from pipeline.runs.details import (
    AnomalyDetails,
    BaselineDetails,
    CorpusDetails,
    CoverageDetails,
    Details,
    HyperparameterDetails,
    LearningDetails,
    SmallTestDetails,
    TrainingDetails,
    TransformDetails,
    TuningDetails,
)
from pipeline.runs.prepare import PreparedRun
from pipeline.runs.record import GateRecord, Pushed, RunRecord, Verdict
from pipeline.runs.state import RunState
from pipeline.tasks.registry import task_of
from pipeline.tasks.task import Goal
from trainer.errors import JobError
from trainer.jobs.counting import interval
from trainer.tuning.values import trainer_values

Executions = Mapping[str, Execution]

_SMALL = 200
"""The number of test documents below which a run names the uncertainty of its metrics."""

_ENDS: Mapping[Goal, RunState] = {"publish": RunState.DONE, "tune": RunState.TUNED, "check": RunState.CHECKED}
"""The states of finished runs that publish nothing."""


def complete(record: RunRecord, run: PreparedRun, executions: Executions) -> RunRecord:
    """Adds the results of a run's components to its record.

    Args:
        record: The record of a run whose components are all done.
        run: The run.
        executions: Its executions by component.

    Raises:
        JobError: If a component did not process every document exactly once.
    """
    metrics, judged, undefined = _judged(run.job, executions)
    _check_counts(run.job, executions, metrics)
    pushed, new = _pushed(executions.get("Pusher"))
    withdrawn = _withdrawn(executions.get("Pusher"))
    state = _ENDS[run.goal]
    if withdrawn is not None:
        state = RunState.WITHDRAWN
        judged = judged.model_copy(update={"reasons": (withdrawn, *judged.reasons)})
    elif "Pusher" in run.components:
        state = RunState.NOT_BLESSED if not judged.blessed else RunState.PUSHED if new else RunState.UNCHANGED
    elif run.goal == "publish" and set(run.components).issuperset(task_of(run.job).components(run.job)):
        state = RunState.TRANSFORMED
    findings = {"undefined": undefined, "small_test": tuple(_small_test(run.job, metrics))}
    sections = {**_sections(run.job, executions), **{name: found for name, found in findings.items() if found}}
    details = Details(**sections)
    return record.updated(state=state, metrics=metrics, verdict=judged, pushed=pushed, details=details)


def _check_counts(job: Job, executions: Executions, metrics: Metrics) -> None:
    """Checks that the stock components also processed every document."""
    corpus = _output(executions, "CorpusExampleGen", "examples")
    expected = json.loads(corpus.properties["split_documents"]) if corpus else {}
    seen: dict[str, tuple[dict[str, float], dict[str, float]]] = {}
    statistics = _output(executions, "StatisticsGen", "statistics")
    if statistics is not None:
        seen["StatisticsGen"] = {split: _count(statistics.uri, split) for split in expected}, expected
    evaluated = _output(executions, *task_of(job).evaluated)
    if metrics and evaluated is not None:
        judged = json.loads(evaluated.properties["split_documents"])["test"]
        seen["Evaluator"] = {"test": metrics[OVERALL]["documents"]}, {"test": judged}
    for component, (counts, wanted) in seen.items():
        if counts != wanted:
            raise JobError(
                f"{component} did not process every document exactly once.",
                where=component,
                found=str(counts),
                expected=str(wanted),
                fix="run again with --no-cache",
            )


def _count(directory: str, split: str) -> float:
    """Returns the number of documents in a split according to StatisticsGen."""
    with tf.io.gfile.GFile(f"{directory}/Split-{split}/FeatureStats.pb", "rb") as file:
        found = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())
    return float(found.datasets[0].num_examples)


def _judged(job: Job, executions: Executions) -> tuple[Metrics, Verdict, tuple[str, ...]]:
    """Returns the metrics, the verdict, and why metrics without a gate have no value."""
    evaluator = executions.get("Evaluator")
    if evaluator is None:
        return {}, Verdict(), ()
    directory = evaluator.outputs["evaluation"].uri
    compared = "baseline_model" in evaluator.inputs
    candidate = read_metrics(directory, "candidate" if compared else None)
    baseline = read_metrics(directory, "baseline") if compared else None
    blessed = evaluator.outputs["blessing"].properties["blessed"] == 1
    uncovered = {name: known.share for name, known in _coverage(job, executions).items() if not known.gates}
    simple = _baselines(executions)
    judged = list(verdict.judge(job, candidate, baseline, uncovered, simple.linear.metrics if simple else {}))
    # The deciding gates come first.
    sentences: list[str] = [sentence for _, sentence in sorted(judged, key=lambda pair: pair[0] != blessed)]
    if not blessed and all(met for met, _ in judged):
        names = ", ".join(verdict.failed_metrics(directory)) or "a missing metric"
        sentences.insert(0, f"TensorFlow Model Analysis rejects the model because of {names}")
    undefined = tuple(sentence for sentence in verdict.undefined(job, candidate) if sentence not in sentences)
    numbers = tuple(
        GateRecord(metric=one.metric, slice=one.slice, bound=one.bound, limit=one.limit, value=one.value, met=met)
        for met, one in judged
    )
    judgement = Verdict(blessed=blessed, reasons=tuple(sentences), gates=numbers)
    return verdict.visible(job, candidate), judgement, undefined


def _coverage(job: Job, executions: Executions) -> dict[str, CoverageDetails]:
    """Returns the coverage by evaluation set; empty for tasks without sets."""
    evaluated = _output(executions, *task_of(job).evaluated)
    found = json.loads(evaluated.properties.get("coverage", "{}")) if evaluated else {}
    return {name: CoverageDetails.model_validate(known) for name, known in found.items()}


def _baselines(executions: Executions) -> BaselineDetails | None:
    """Returns what simple models reach, for runs that measure them."""
    simple = _output(executions, "LinearBaseline", "evaluation")
    return None if simple is None else BaselineDetails.model_validate(read_results(simple.uri))


def _small_test(job: Job, metrics: Metrics) -> Iterator[SmallTestDetails]:
    """Yields the interval of each share of the test documents, if these are few."""
    overall = metrics.get(OVERALL, {})
    documents = int(overall.get("documents", 0))
    for name, metric in task_of(job).metrics(job).items():
        if metric.documents and name in overall and 0 < documents < _SMALL:
            low, high = interval(overall[name], documents)
            yield SmallTestDetails(metric=name, documents=documents, low=low, high=high)


def _pushed(pusher: Execution | None) -> tuple[Pushed | None, bool]:
    if pusher is None:
        return None, False
    properties = pusher.outputs["pushed_model"].properties
    version = properties.get("pushed_version")
    if not version:
        return None, False
    path = str(Path(properties["pushed_destination"]).resolve())
    return Pushed(version=version, path=path), properties["pushed"] == 1


def _withdrawn(pusher: Execution | None) -> str | None:
    """Returns why a model that passed its gates was not published again, in a sentence."""
    found = None if pusher is None else pusher.outputs["pushed_model"].properties.get(WITHDRAWN)
    if not found:
        return None
    rollback = HistoryEntry.model_validate_json(found)
    when = f"{rollback.time:%Y-%m-%d}"
    return f"it is the model of version {rollback.previous}, which was rolled back on {when}: {rollback.why}"


def _sections(job: Job, executions: Executions) -> dict[str, Any]:
    sections: dict[str, Any] = {}
    corpus = _output(executions, "CorpusExampleGen", "examples")
    if corpus is not None:
        sections["corpus"] = CorpusDetails(
            records=corpus.properties["records_read"],
            spanning_lines=corpus.properties.get("records_spanning_lines", 0),
            quarantined=corpus.properties["records_quarantined"],
            duplicates=json.loads(corpus.properties["split_duplicates"]),
            reasons=json.loads(corpus.properties["quarantine_reasons"]),
            documents=json.loads(corpus.properties["split_documents"]),
        )
    anomalies = _output(executions, "ExampleValidator", "anomalies")
    if anomalies is not None:
        sections["anomalies"] = read_anomalies(anomalies.uri)
    graph = _output(executions, "SequenceTransform", "transform_graph")
    if graph is not None:
        sections["transform"] = TransformDetails.model_validate(_read_json(f"{graph.uri}/summary.json"))
    coverage = _coverage(job, executions)
    if coverage:
        sections["coverage"] = coverage
    simple = _baselines(executions)
    if simple is not None:
        sections["baselines"] = simple
    training = _output(executions, "Trainer", "model_run")
    if training is not None:
        sections["training"] = TrainingDetails.model_validate(_read_json(f"{training.uri}/training.json"))
        sections["tensorboard"] = training.uri
        best = executions["Trainer"].inputs.get("hyperparameters")
        if best is not None:  # TFX's Tuner writes this file.
            values = _read_json(f"{best.uri}/best_hyperparameters.txt")["values"]
            sections["hyperparameters"] = HyperparameterDetails(values=trainer_values(values), path=best.uri)
    learning = _output(executions, "LearningCheck", "model_run")
    if learning is not None:
        sections["learning_check"] = LearningDetails.model_validate(_read_json(f"{learning.uri}/{FINDINGS}"))
    results = _output(executions, "Tuner", "tuner_results")
    search = task_of(job).search(job)
    if results is not None and search is not None:
        sections["tuning"] = _tuning(search.objective, results.uri, executions["Tuner"])
    return sections


def _tuning(objective: str, results: str, tuner: Execution) -> TuningDetails:
    trials = [
        {"trial": int(trial["trial_id"]) + 1, objective: trial["score"], "values": trainer_values(trial)}
        for trial in _read_json(f"{results}/tuner_results.json")
    ]
    path = tuner.outputs["best_hyperparameters"].uri
    return TuningDetails.model_validate({"objective": objective, "trials": trials, "path": path})


def _read_json(path: str) -> Any:
    with tf.io.gfile.GFile(path) as file:
        return json.loads(file.read())


def _output(executions: Executions, component: str, channel: str) -> Output | None:
    execution = executions.get(component)
    return None if execution is None else execution.outputs.get(channel)


def read_anomalies(directory: str) -> tuple[AnomalyDetails, ...]:
    """Returns the anomalies of all splits from the URI of an ExampleAnomalies artifact."""
    paths = sorted(tf.io.gfile.glob(f"{directory}/Split-*/anomalies.json"))
    return tuple(AnomalyDetails.model_validate(anomaly) for path in paths for anomaly in _read_json(path))
