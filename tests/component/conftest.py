from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.component.corpus_job import CorpusJob


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder slow: each runs components for real."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def job(tmp_path: Path) -> CorpusJob:
    """A job in its own folder."""
    from tests.component.corpus_job import CorpusJob

    return CorpusJob(tmp_path)
