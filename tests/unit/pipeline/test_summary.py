"""What a run's record says of its artifacts."""

from __future__ import annotations

import json
import math

import pytest

from pipeline.dag.lineage import Execution, Output
from pipeline.runs import summary
from trainer.errors import JobError


def execution(channel: str, **properties: object) -> Execution:
    found = {name: json.dumps(value) for name, value in properties.items()}
    return Execution("COMPLETE", {}, {channel: Output("nowhere", found)})


CORPUS = {"CorpusExampleGen": execution("examples", split_documents={"train": 80, "eval": 10, "test": 9})}
SETS = {"EvaluationSets": execution("evaluation_examples", split_documents={"test": 363}, coverage={})}


@pytest.mark.parametrize(("executions", "documents"), [(CORPUS, 9), (CORPUS | SETS, 363)])
def test_the_evaluator_has_seen_every_example_that_it_was_given(
    executions: dict[str, Execution], documents: int
) -> None:
    summary._check_counts(executions, {"overall": {"documents": float(documents)}})
    with pytest.raises(JobError, match="Evaluator did not process every document exactly once") as caught:
        summary._check_counts(executions, {"overall": {"documents": documents - 1.0}})
    assert caught.value.expected == str({"test": documents})


def test_slices_have_one_order_of_their_features() -> None:
    assert summary._place(()) == "overall"
    assert summary._place((("source", "ws"),)) == "source=ws"
    assert summary._place((("section", "family"), ("source", "qs"))) == "source=qs,section=family"


def test_numbers_that_are_texts_are_numbers_again() -> None:
    by_class = {"a": {"auc": {"doubleValue": 0.5}}, "b": {"auc": {"doubleValue": "Infinity"}}}
    assert summary._lowest(by_class) == {"auc": 0.5}
    (value,) = summary._lowest({"": {"auc": {"doubleValue": "NaN"}, "auc_diff": {"doubleValue": 1.0}}}).values()
    assert math.isnan(value)


def test_people_see_neither_twins_nor_what_has_no_value_nor_a_slice_twice() -> None:
    found = {
        "overall": {"spearman": 0.5, "gated_spearman": 1.0, "loss": math.nan},
        "source=ws": {"spearman": 0.5},
        "source=ws,section=ws": {"spearman": 0.5},
        "source=qs,section=ws": {"analogy_accuracy": 0.5, "spearman": math.nan},
    }
    assert summary._shown(found) == {
        "overall": {"spearman": 0.5},
        "source=ws": {"spearman": 0.5},
        "source=qs,section=ws": {"analogy_accuracy": 0.5},
    }
