"""The summary of a run's artifacts."""

import json

import pytest
import scipy.stats

from pipeline.dag.lineage import Execution, Output
from pipeline.runs import summary
from trainer.errors import JobError


def execution(channel: str, **properties: object) -> Execution:
    found = {name: json.dumps(value) for name, value in properties.items()}
    return Execution({}, {channel: Output("nowhere", found)})


EXECUTIONS = {
    "CorpusExampleGen": execution("examples", split_documents={"train": 80, "eval": 10, "test": 9}),
    "EvaluationSets": execution("evaluation_examples", split_documents={"test": 363}, coverage={}),
}


@pytest.mark.parametrize(("task", "documents"), [("classifier", 9), ("word2vec", 363)])
def test_the_evaluator_must_process_every_example(gated, task, documents):
    summary._check_counts(gated(task), EXECUTIONS, {"overall": {"documents": float(documents)}})
    with pytest.raises(JobError, match="Evaluator did not process every document exactly once") as caught:
        summary._check_counts(gated(task), EXECUTIONS, {"overall": {"documents": documents - 1.0}})
    assert caught.value.expected == str({"test": documents})


@pytest.mark.parametrize(("task", "documents", "names"), [("classifier", 199, ["accuracy"]), ("tagger", 199, [])])
def test_a_small_test_split_has_an_interval(gated, task, documents, names):
    metrics = {"accuracy": 180 / 199, "token_accuracy": 0.9, "loss": 0.3}
    found = list(summary._small_test(gated(task), {"overall": {**metrics, "documents": float(documents)}}))
    assert [each.metric for each in found] == names
    for each in found:
        reference = scipy.stats.binomtest(180, 199).proportion_ci(0.95, method="wilson")
        assert (each.documents, each.low, each.high) == (
            199,
            pytest.approx(reference.low),
            pytest.approx(reference.high),
        )


def test_other_test_splits_have_none(gated):
    for values in ({"accuracy": 0.9, "documents": 200.0}, {"documents": 0.0, "accuracy": float("nan")}, {}):
        assert list(summary._small_test(gated("classifier"), {"overall": values} if values else {})) == []
