"""The summary of a run's artifacts."""

import json

import pytest

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
