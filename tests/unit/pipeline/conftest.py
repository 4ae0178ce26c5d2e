"""Jobs of YAML texts, jobs with gates, and the root of a run with a published model."""

import pytest

from trainer.errors import JobError

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
    """A function that makes a job of a task with gates and other keys of the corpus or the evaluation."""
    from pipeline.tasks.loading import JOBS

    def make(task: str, gates: dict | None = None, evaluation: dict | None = None, **corpus: object):
        sections = CORPORA[task]
        values = {"name": "a", "task": task, **sections, "corpus": {**sections["corpus"], **corpus}}
        if evaluation is not None:
            values["evaluation"] = evaluation
        return JOBS[task].model_validate({**values, "gates": gates or {}})

    return make


@pytest.fixture
def load(tmp_path):
    """A function from the text of a YAML and overrides to its job."""
    from pipeline.tasks import loading

    def make(text: str, *overrides: str):
        path = tmp_path / "job.yaml"
        path.write_text(text, encoding="utf-8")
        return loading.load(path, overrides)

    return make


@pytest.fixture
def message(load):
    """A function from the text of an invalid YAML and overrides to the error's message."""

    def make(text: str, *overrides: str) -> str:
        with pytest.raises(JobError) as caught:
            load(text, *overrides)
        return str(caught.value)

    return make


@pytest.fixture
def root(tmp_path, model):
    """A root with published versions of the test file's model, the newest of them incomplete."""
    serving = tmp_path / "serving"
    for version in ("9", "10", "tmp"):
        serving.mkdir(exist_ok=True)
        (serving / version).symlink_to(model)
    (serving / "11").mkdir()  # not complete
    return tmp_path
