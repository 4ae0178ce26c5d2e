"""The root of a run, for the tests of what asks its models."""

from __future__ import annotations

import pytest


@pytest.fixture
def root(tmp_path, model):
    """A root with versions of the model that the test file makes, the newest of them not complete."""
    serving = tmp_path / "serving"
    for version in ("9", "10", "tmp"):
        serving.mkdir(exist_ok=True)
        (serving / version).symlink_to(model)
    (serving / "11").mkdir()  # not complete
    return tmp_path
