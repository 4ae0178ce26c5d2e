"""Versions in a serving directory: which models are published, under which number, and which versions stay."""

import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from components.pusher.publish import Published, identity, publish, versions
from components.pusher.version_fingerprints import FINGERPRINTS

Push = Callable[..., Published]


def make_model(path: Path, value: str | None) -> str:
    """A directory laid out like a SavedModel, with a digest if a value is given."""
    (path / "variables").mkdir(parents=True, exist_ok=True)
    (path / "saved_model.pb").write_text(f"graph {value}")
    (path / "variables" / "data").write_bytes(bytes(100))
    if value is not None:
        (path / "assets.extra").mkdir(exist_ok=True)
        (path / "assets.extra" / "seqloom.json").write_text(json.dumps({"digest": value}))
    return str(path)


def files(directory: Path) -> dict[str, bytes]:
    """The files of a model, without the fingerprints of a version."""
    found = {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}
    return {name: content for name, content in found.items() if name != FINGERPRINTS}


@pytest.fixture
def serving(tmp_path: Path) -> Path:
    return tmp_path / "new" / "serving"


@pytest.fixture
def push(tmp_path: Path, serving: Path) -> Push:
    """Publishes a model with the given digest."""
    return lambda value, keep=9: publish(make_model(tmp_path / str(value), value), str(serving), keep=keep)


def test_a_model_is_published_completely_under_a_number(push: Push, tmp_path: Path, serving: Path) -> None:
    version, new, _ = push("a")
    assert new
    assert versions(str(serving)) == [version]
    assert sorted(path.name for path in serving.iterdir()) == [str(version), "history.jsonl"]
    assert files(serving / str(version)) == files(tmp_path / "a")


def test_only_the_newest_model_is_not_published_again(push: Push, tmp_path: Path, serving: Path) -> None:
    first = push("a")
    assert push("a")[:2] == (first.version, False)
    pushed = [first, push("b"), push("a")]
    assert all(each.new for each in pushed)
    assert versions(str(serving)) == [each.version for each in pushed]
    # A model that names its task replaces one that does not.
    model = make_model(tmp_path / "named", "a")
    (Path(model) / "assets.extra" / "seqloom.json").write_text(json.dumps({"task": "tagger", "digest": "a"}))
    assert publish(model, str(serving), keep=9).new


def test_models_without_a_digest_are_always_new(push: Push, tmp_path: Path, serving: Path) -> None:
    assert identity(make_model(tmp_path / "a", None)) is None
    assert [push(None).new, push(None).new] == [True, True]
    assert len(versions(str(serving))) == 2


def test_versions_increase_within_a_second_and_after_the_clock_is_set_back(push: Push, serving: Path) -> None:
    make_model(serving / "99999999999", "future")
    assert [push(name).version for name in "abc"] == [100000000000, 100000000001, 100000000002]


def test_the_oldest_versions_by_number_are_removed(push: Push, serving: Path) -> None:
    for version in ("9", "10", "8"):
        make_model(serving / version, version)
    version = push("a", keep=2).version
    assert versions(str(serving)) == [10, version]
    version = push("b", keep=1).version
    assert versions(str(serving)) == [version]
    assert identity(str(serving / str(version))) == {"digest": "b"}


def test_entries_with_other_names_are_not_versions_and_stay(push: Push, tmp_path: Path, serving: Path) -> None:
    for name in (".7-abc", "tmp", "1.5"):
        (serving / name).mkdir(parents=True)
    assert versions(str(serving)) == []
    push("a", keep=1)
    assert {".7-abc", "tmp", "1.5"} < {path.name for path in serving.iterdir()}
    assert versions(str(tmp_path / "none")) == []


@pytest.mark.parametrize("name", ["99999999999", "007", "\u0663", "\u00b2", "old", "README"])
def test_a_newest_entry_without_a_model_is_no_version(push: Push, serving: Path, caplog, name: str) -> None:
    version = push("a").version
    (serving / name).mkdir()
    (serving / name / "notes.txt").touch()
    (serving / "88888888888").write_text("a file")
    assert versions(str(serving)) == [version]
    assert push("a")[:2] == (version, False)
    newer, new, _ = push("b", keep=1)
    assert new
    assert newer > (99999999999 if name == "99999999999" else 88888888888)
    assert versions(str(serving)) == [newer]
    assert {name, "88888888888"} < {path.name for path in serving.iterdir()}
    assert "88888888888 is no version: it has no saved_model.pb" in caplog.text
    assert ("99999999999 is no version" in caplog.text) == (name == "99999999999")


def test_a_failed_copy_leaves_nothing(tmp_path: Path, serving: Path) -> None:
    model = Path(make_model(tmp_path / "a", "a"))
    (model / "variables" / "broken").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Exception, match=r"nowhere|broken"):
        publish(str(model), str(serving), keep=1)
    assert list(serving.iterdir()) == []


def test_readers_see_only_complete_versions_while_models_are_published(tmp_path: Path, serving: Path) -> None:
    models = [make_model(tmp_path / name, name) for name in "abcdef"]
    for number in range(200):
        (Path(models[0]) / f"asset{number}").write_text("x")
    done = threading.Event()

    def push_all() -> None:
        for model in models:
            publish(model, str(serving), keep=len(models))
        done.set()

    thread = threading.Thread(target=push_all)
    thread.start()
    seen = set()
    for finished in (done.is_set() for _ in itertools.count()):
        seen |= {json.dumps(sorted(files(serving / str(version)))) for version in versions(str(serving))}
        if finished:
            break
    thread.join()
    assert seen == {json.dumps(sorted(files(Path(model)))) for model in models}
