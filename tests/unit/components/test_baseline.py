"""Which model the candidate is compared with, on real artifacts."""

from __future__ import annotations

import itertools

import pytest
from tfx.types import standard_artifacts

from components.evaluator.baseline import LastBlessedOther


def model(number: int) -> standard_artifacts.Model:
    artifact = standard_artifacts.Model()
    artifact.id, artifact.uri = number, f"/models/{number}"
    return artifact


def blessing(number: int, of: int, blessed: int = 1) -> standard_artifacts.ModelBlessing:
    artifact = standard_artifacts.ModelBlessing()
    artifact.id, artifact.uri = number, f"/blessings/{number}"
    artifact.set_int_custom_property("blessed", blessed)
    artifact.set_int_custom_property("current_model_id", of)
    return artifact


def resolve(candidate: int, models: list[int], blessings: list[tuple[int, ...]]) -> tuple[list[int], list[int]]:
    inputs = {
        "candidate": [model(candidate)],
        "model": [model(number) for number in models],
        "model_blessing": [blessing(*values) for values in blessings],
    }
    resolved = LastBlessedOther().resolve_artifacts(None, inputs)
    assert [artifact.id for artifact in resolved["candidate"]] == [candidate]
    return [a.id for a in resolved["model"]], [a.id for a in resolved["model_blessing"]]


@pytest.mark.parametrize(
    ("candidate", "models", "blessings", "expected"),
    [
        (3, [1, 2, 3], [(11, 1), (12, 2)], ([2], [12])),
        (3, [1, 2, 3], [(11, 1), (12, 2), (13, 3)], ([2], [12])),  # the candidate was blessed in an earlier run
        (3, [1, 2, 3], [(11, 1), (12, 2, 0)], ([1], [11])),  # the later one is not blessed
        (1, [1, 2, 3], [(13, 2), (12, 3)], ([2], [13])),  # blessed last, not trained last
        (2, [1, 2], [(11, 1), (14, 1, 0)], ([1], [11])),  # judged again and not blessed: the blessing stands
        (2, [2], [(11, 1)], ([], [])),  # the blessed model is gone
        (1, [1], [(11, 1)], ([], [])),
        (1, [1], [], ([], [])),
        (2, [1, 2], [(11, 1, 0)], ([], [])),
    ],
)
def test_the_last_blessed_model_that_is_another(
    candidate: int, models: list[int], blessings: list[tuple[int, ...]], expected: tuple[list[int], list[int]]
) -> None:
    for order in itertools.permutations(blessings):
        assert resolve(candidate, models[::-1], list(order)) == expected


def test_the_artifacts_are_those_given() -> None:
    baseline, verdict = model(1), blessing(11, 1)
    inputs = {"candidate": [model(2)], "model": [baseline], "model_blessing": [verdict]}
    resolved = LastBlessedOther().resolve_artifacts(None, inputs)
    assert resolved["model"][0] is baseline
    assert resolved["model_blessing"][0] is verdict
    assert inputs["model"] == [baseline]
