"""Finding and opening published models."""

import json

import pytest

from pipeline.runs import published
from pipeline.runs import record as history
from pipeline.tasks.answers import open_answers
from trainer.errors import JobError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder that looks like a SavedModel until it is loaded."""
    path = tmp_path_factory.mktemp("model")
    (path / "saved_model.pb").write_bytes(b"no model")
    return path


def test_the_newest_published_version_of_a_root_is_used(root, model):
    assert published.find_model(root) == root / "serving" / "10"
    assert published.find_model(model) == model


def test_a_root_without_a_model_says_why(tmp_path):
    with pytest.raises(JobError, match="does not exist"):
        published.find_model(tmp_path / "none")
    with pytest.raises(JobError, match="seqloom run") as caught:
        published.find_model(tmp_path)
    assert caught.value.where == str(tmp_path / "serving")
    verdict = history.Verdict(blessed=False, reasons=("accuracy 0.7 is below 0.85",))
    history.write(tmp_path, history.new_run(tmp_path, "a").updated(state="not_blessed", verdict=verdict))
    with pytest.raises(JobError, match=r"not blessed: accuracy 0\.7 is below 0\.85"):
        published.find_model(tmp_path)


@pytest.mark.parametrize(
    ("task", "command", "parts"),
    [
        (None, "predict", ["no known task in assets.extra/seqloom.json", "of task classifier, tagger, word2vec"]),
        ("parser", "predict", ["the task parser"]),
        ("word2vec", "predict", ["support `seqloom predict`", "use `seqloom neighbors`"]),
        *((task, "predict", ["cannot be loaded"]) for task in ("classifier", "tagger")),
        ("word2vec", "analogy", ["cannot be loaded"]),
    ],
)
def test_a_model_answers_the_commands_of_its_task(model, tmp_path, task, command, parts):
    with pytest.raises(JobError, match="does not name the task"):
        open_answers(model, command)
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "seqloom.json").write_text(json.dumps({"task": task}))
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(JobError) as caught:
        open_answers(tmp_path, command)
    assert caught.value.where == str(tmp_path)
    assert [part for part in parts if part not in str(caught.value)] == []
