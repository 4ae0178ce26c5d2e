"""Jobs with gates, and the root of a run for the tests of what asks its models."""

from __future__ import annotations

import pytest

CORPORA = {
    "classifier": {
        "corpus": {"format": "csv", "path": "x", "label": "y", "source": "s", "labels": ["negative", "positive"]}
    },
    "tagger": {"corpus": {"format": "conll", "path": "x"}, "transform": {"tokenizer": "whitespace"}},
    "word2vec": {
        "corpus": {"format": "text", "path": "x"},
        "evaluation": {"pairs": {"ws": "ws.tsv", "sl": "sl.txt"}, "analogies": {"qs": "qs.txt"}},
    },
}


@pytest.fixture(scope="session")
def gated():
    """A function from a task, gates and keys of the corpus or the evaluation that differ, to the job."""
    from pipeline.tasks.loading import JOBS

    def make(task: str, gates: dict | None = None, evaluation: dict | None = None, **corpus: object):
        sections = CORPORA[task]
        values = {"name": "a", "task": task, **sections, "corpus": {**sections["corpus"], **corpus}}
        if evaluation is not None:
            values["evaluation"] = evaluation
        return JOBS[task].model_validate({**values, "gates": gates or {}})

    return make


@pytest.fixture
def root(tmp_path, model):
    """A root with versions of the model that the test file makes, the newest of them not complete."""
    serving = tmp_path / "serving"
    for version in ("9", "10", "tmp"):
        serving.mkdir(exist_ok=True)
        (serving / version).symlink_to(model)
    (serving / "11").mkdir()  # not complete
    return tmp_path
