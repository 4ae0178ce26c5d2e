"""What differs between two executions, against values worked out by hand and properties of any settings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dag.code_state import CodeState
from pipeline.runners.causes.changes import Difference, changed_code, changed_files, differences, nearest
from pipeline.runners.causes.facts import ExecutionFacts, Input, facts_of

NAMES = st.text("abc", min_size=1, max_size=2)
VALUES = st.none() | st.booleans() | st.integers() | st.text("ab{[0", max_size=3) | st.lists(st.integers(), max_size=2)
SETTINGS = st.dictionaries(NAMES, VALUES, max_size=5)


def trainer(settings: dict, code: str = "c0") -> ExecutionFacts:
    config = {"settings": json.dumps(settings), "code": code, "checkpoints": "/root/checkpoints"}
    return facts_of("Trainer", {"custom_config": json.dumps(config), "run_fn": "trainer.jobs.entry_point.run_fn"})


def test_settings_inside_json_inside_json_have_the_keys_of_the_job():
    old = trainer({"epochs": 2, "encoder": {"kind": "rnn"}, "gone": 1})
    new = trainer({"epochs": 3, "encoder": {"kind": "cnn"}, "fresh": None})
    assert old.settings == {
        "trainer.epochs": 2,
        "trainer.encoder.kind": "rnn",
        "trainer.gone": 1,
        "custom_config.checkpoints": "/root/checkpoints",
        "run_fn": "trainer.jobs.entry_point.run_fn",
    }
    found = differences(old, new)
    assert found == [
        Difference("setting", "trainer.encoder.kind", "rnn", "cnn"),
        Difference("setting", "trainer.epochs", "2", "3"),
        Difference("setting", "trainer.fresh", None, "null"),
        Difference("setting", "trainer.gone", "1", None),
    ]
    assert [each.clause for each in found[1::2]] == ["trainer.epochs is 3, was 2", "trainer.gone is not set, was 1"]


def test_gates_are_named_by_their_keys_and_metrics_carry_the_code():
    def evaluator(bound: float, code: str) -> ExecutionFacts:
        metric = {
            "class_name": "FigureMetric",
            "config": json.dumps({"name": "accuracy", "figure": "f", "code": code}),
            "per_slice_thresholds": [{"slicing_specs": [{}], "threshold": {"value_threshold": {"lower_bound": bound}}}],
        }
        return facts_of("Evaluator", {"eval_config": json.dumps({"metrics_specs": [{"metrics": [metric]}]})})

    found = differences(evaluator(0.5, "a"), evaluator(0.75, "b"))
    assert [(each.kind, each.name) for each in found] == [
        ("setting", "gates.accuracy.min"),
        ("code", "the component"),
    ]
    assert (found[0].old, found[0].new) == ("0.5", "0.75")


def test_fingerprints_flags_and_inputs_differ_by_name():
    def generator(fingerprint: str, beam: tuple[str, ...] | None) -> ExecutionFacts:
        properties = {"settings": '{"format":"csv"}', "input_fingerprint": fingerprint, "input_config": fingerprint}
        return facts_of("CorpusExampleGen", properties, {}, beam)

    found = differences(generator("files:1", ("--a=1", "--b")), generator("files:2", ("--a=2", "--c=x")))
    assert found == [
        Difference("file", "corpus.path", "files:1", "files:2"),
        Difference("beam", "--a", "1", "2"),
        Difference("beam", "--b", "", None),
        Difference("beam", "--c", None, "x"),
    ]
    assert differences(generator("files:1", None), generator("files:1", ("--a",))) == []
    one, two = (ExecutionFacts({}, inputs={"examples": (Input(n, "CorpusExampleGen", f"r{n}"),)}) for n in (1, 2))
    (moved,) = differences(one, two)
    assert moved.clause == (
        "its input examples is that of CorpusExampleGen in run r2, was that of CorpusExampleGen in run r1"
    )
    assert differences(one, ExecutionFacts({})) == []


def test_files_and_code_are_named():
    assert changed_files([("a", "1"), ("b", "2"), ("c", "3")], [("b", "2"), ("c", "4"), ("d", "5")]) == [
        Difference("file", "a", "1", None),
        Difference("file", "c", "3", "4"),
        Difference("file", "d", None, "5"),
    ]
    found = changed_code(
        CodeState({"m": "1", "n": "2"}, {"numpy": "1.26"}), CodeState({"m": "1", "n": "3"}, {"numpy": "2.0"})
    )
    assert found == [Difference("code", "n", "2", "3"), Difference("package", "numpy", "1.26", "2.0")]
    assert [each.clause for each in found] == ["the code of n has changed", "numpy is 2.0, was 1.26"]


@pytest.mark.parametrize(("epochs", "closest"), [([1, 2, 3], 2), ([3, 1, 2], 0), ([1, 2], 1), ([3, 3, 1], 1)], ids=str)
def test_the_nearest_execution_has_the_fewest_differences_and_is_the_latest_of_those(epochs, closest):
    assert nearest([trainer({"epochs": each}) for each in epochs], trainer({"epochs": 3})) == closest


@given(SETTINGS, SETTINGS)
def test_differences_are_none_of_equal_settings_and_mirrored_when_swapped(old, new):
    before, now = trainer(old), trainer(new)
    assert differences(before, trainer(dict(reversed(old.items())))) == []
    there, back = differences(before, now), differences(now, before)
    assert {(each.name, each.old, each.new) for each in there} == {(each.name, each.new, each.old) for each in back}
