"""The choice of the baseline model, on real artifacts."""

import itertools

import pytest
from tfx.types import standard_artifacts

from components.evaluator.baseline import LastBlessedOther


def model(number: int) -> standard_artifacts.Model:
    artifact = standard_artifacts.Model()
    artifact.id = number
    return artifact


def blessing(number: int, of: int, blessed: int = 1) -> standard_artifacts.ModelBlessing:
    artifact = standard_artifacts.ModelBlessing()
    artifact.id = number
    artifact.set_int_custom_property("blessed", blessed)
    artifact.set_int_custom_property("current_model_id", of)
    return artifact


@pytest.mark.parametrize(
    ("candidate", "models", "blessings", "expected"),
    [
        (3, [1, 2, 3], [(11, 1), (12, 2)], ([2], [12])),
        (3, [1, 2, 3], [(11, 1), (12, 2), (13, 3)], ([2], [12])),  # the candidate was blessed in an earlier run
        (3, [1, 2, 3], [(11, 1), (12, 2, 0)], ([1], [11])),  # the later one is not blessed
        (1, [1, 2, 3], [(13, 2), (12, 3)], ([2], [13])),  # blessed last, not trained last
        (2, [1, 2], [(11, 1), (14, 1, 0)], ([1], [11])),  # not blessed the second time: the blessing stands
        (2, [2], [(11, 1)], ([], [])),  # the blessed model is gone
        (1, [1], [(11, 1)], ([], [])),
        (1, [1], [], ([], [])),
        (2, [1, 2], [(11, 1, 0)], ([], [])),
    ],
)
def test_the_baseline_is_the_last_blessed_other_model(candidate, models, blessings, expected):
    for order in itertools.permutations(blessings):
        given = {
            "candidate": [model(candidate)],
            "model": [model(number) for number in models[::-1]],
            "model_blessing": [blessing(*values) for values in order],
        }
        resolved = LastBlessedOther().resolve_artifacts(None, given)
        assert resolved["candidate"] == given["candidate"]
        assert tuple([one.id for one in resolved[name]] for name in ("model", "model_blessing")) == expected
        for name in ("model", "model_blessing"):
            assert all(any(one is artifact for artifact in given[name]) for one in resolved[name])
