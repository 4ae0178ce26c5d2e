"""The edges that are declared without TFX are those of the nodes that TFX runs."""

from __future__ import annotations

from typing import Any

import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.orchestration.pipeline import Pipeline

from pipeline.dag.edges import downstream, upstream
from tests.unit.pipeline.test_dag import SECTIONS, TUNE, create, read

MARGIN = {"accuracy": {"min": 0.7, "min_over_linear": -0.1}}
CASES: list[tuple[str, dict[str, Any]]] = [
    *((task, {}) for task in SECTIONS),
    ("classifier", {"gates": MARGIN}),
    ("classifier", {"baselines": "off"}),
    ("classifier", {"tune": {**TUNE, "use": True}}),
]


@pytest.mark.parametrize("goal", ["publish", "check"])
@pytest.mark.parametrize(("task", "sections"), CASES)
def test_edges_are_those_of_the_compiled_pipeline(task: str, sections: dict[str, Any], goal: Any) -> None:
    nodes = create(task, goal=goal, **sections)
    pipeline = Pipeline(pipeline_name="a", pipeline_root="root", components=list(nodes.values()))
    compiled = {
        node.pipeline_node.node_info.id: set(node.pipeline_node.upstream_nodes)
        for node in Compiler().compile(pipeline).nodes
    }
    assert {name: set(before) for name, before in upstream(read(task, **sections), goal).items()} == compiled


def test_a_search_waits_for_the_examples() -> None:
    assert upstream(read("classifier", TUNE), "tune")["Tuner"] == ("SequenceTransform",)


def test_what_depends_on_a_component_follows_it() -> None:
    edges = upstream(read("classifier"))
    assert downstream("Evaluator", edges) == ("Pusher",)
    assert downstream("SequenceTransform", edges)[-2:] == ("Evaluator", "Pusher")
    assert downstream("Pusher", edges) == ()
