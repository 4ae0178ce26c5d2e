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


def test_foreign_entries_in_serving_are_no_versions(root, model):
    for name in ("99", "old", "1.5", "\u00b2"):
        (root / "serving" / name).mkdir()
    (root / "serving" / "100").write_text("a file")
    (root / "serving" / "x10").symlink_to(model)
    assert published.find_model(root) == root / "serving" / "10"


def test_a_model_in_a_folder_with_characters_of_globs_is_reached_by_a_plain_path(tmp_path, model, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / "r[1]" / "serving" / "3"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(model)
    found = published.find_model(tmp_path / "r[1]")
    assert (found.resolve(), "[" in str(found)) == (model, False)


@pytest.mark.parametrize("name", ["n" * 300, "loop", "a\0b", "file/x"])
def test_a_path_that_is_none_is_named(tmp_path, name):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="The model or root "):
        published.find_model(tmp_path / name)


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
        ("classifier", "predict --explain", ["cannot be loaded"]),
        *(
            (
                task,
                "predict --explain",
                [f"found: a {task} model", "expected: a model of task classifier\n", f"use `{use}`"],
            )
            for task, use in (("tagger", "seqloom predict"), ("word2vec", "seqloom neighbors"))
        ),
        ("word2vec", "predict", ["expected: a model of task classifier or tagger\n"]),
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
