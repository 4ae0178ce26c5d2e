"""Versions in a serving directory: what is pushed, under which number, and what stays."""

from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path

import pytest

from components.pusher.publish import digest, publish, versions


def make_model(path: Path, value: str | None) -> str:
    """A directory as a SavedModel's, with a digest where a value is given."""
    (path / "variables").mkdir(parents=True)
    (path / "saved_model.pb").write_text(f"graph {value}")
    (path / "variables" / "data").write_bytes(bytes(100))
    if value is not None:
        (path / "assets.extra").mkdir()
        (path / "assets.extra" / "seqloom.json").write_text(json.dumps({"digest": value}))
    return str(path)


def files(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.fixture
def serving(tmp_path: Path) -> Path:
    return tmp_path / "new" / "serving"


def test_a_model_is_published_whole_under_a_number(tmp_path: Path, serving: Path) -> None:
    model = make_model(tmp_path / "a", "a")
    version, new = publish(model, str(serving), keep=2)
    assert new
    assert versions(str(serving)) == [version]
    assert [path.name for path in serving.iterdir()] == [str(version)]
    assert files(serving / str(version)) == files(tmp_path / "a")


def test_the_same_model_is_not_published_twice(tmp_path: Path, serving: Path) -> None:
    first = publish(make_model(tmp_path / "a", "x"), str(serving), keep=2)
    again = publish(make_model(tmp_path / "b", "x"), str(serving), keep=2)
    assert again == (first[0], False)
    assert versions(str(serving)) == [first[0]]


def test_a_model_that_was_published_before_another_is_published_again(tmp_path: Path, serving: Path) -> None:
    a, b = make_model(tmp_path / "a", "a"), make_model(tmp_path / "b", "b")
    pushed = [publish(model, str(serving), keep=9) for model in (a, b, a)]
    assert all(new for _, new in pushed)
    assert versions(str(serving)) == [version for version, _ in pushed]


def test_models_without_a_digest_are_always_new(tmp_path: Path, serving: Path) -> None:
    model = make_model(tmp_path / "a", None)
    assert digest(model) is None
    assert publish(model, str(serving), keep=3)[1]
    assert publish(model, str(serving), keep=3)[1]
    assert len(versions(str(serving))) == 2


def test_versions_rise_even_within_a_second_and_above_a_clock_that_was_ahead(tmp_path: Path, serving: Path) -> None:
    make_model(serving / "99999999999", "future")
    pushed = [publish(make_model(tmp_path / name, name), str(serving), keep=9)[0] for name in "abc"]
    assert pushed == [100000000000, 100000000001, 100000000002]


def test_the_oldest_go_by_number_and_not_by_name(tmp_path: Path, serving: Path) -> None:
    for version in ("9", "10", "8"):
        make_model(serving / version, version)
    version, _ = publish(make_model(tmp_path / "a", "a"), str(serving), keep=2)
    assert versions(str(serving)) == [10, version]


def test_keep_one_leaves_the_new_one(tmp_path: Path, serving: Path) -> None:
    publish(make_model(tmp_path / "a", "a"), str(serving), keep=1)
    version, _ = publish(make_model(tmp_path / "b", "b"), str(serving), keep=1)
    assert versions(str(serving)) == [version]
    assert digest(str(serving / str(version))) == "b"


def test_other_names_are_no_versions_and_stay(tmp_path: Path, serving: Path) -> None:
    for name in (".7-abc", "tmp", "1.5"):
        (serving / name).mkdir(parents=True)
    assert versions(str(serving)) == []
    publish(make_model(tmp_path / "a", "a"), str(serving), keep=1)
    assert {".7-abc", "tmp", "1.5"} < {path.name for path in serving.iterdir()}
    assert versions(str(tmp_path / "none")) == []


def test_a_copy_that_fails_is_no_version(tmp_path: Path, serving: Path) -> None:
    model = Path(make_model(tmp_path / "a", "a"))
    (model / "variables" / "broken").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Exception, match=r"nowhere|broken"):
        publish(str(model), str(serving), keep=1)
    assert versions(str(serving)) == []


def test_who_looks_while_models_are_published_sees_whole_ones(tmp_path: Path, serving: Path) -> None:
    models = [make_model(tmp_path / name, name) for name in "abcdef"]
    for number in range(200):
        (Path(models[0]) / f"asset{number}").write_text("x")
    expected = {json.dumps(sorted(files(Path(model)))) for model in models}
    done = threading.Event()

    def push() -> None:
        for model in models:
            publish(model, str(serving), keep=len(models))
        done.set()

    thread = threading.Thread(target=push)
    thread.start()
    seen = set()
    for _ in itertools.takewhile(lambda _: not done.is_set(), itertools.count()):
        seen |= {json.dumps(sorted(files(serving / str(version)))) for version in versions(str(serving))}
    thread.join()
    seen |= {json.dumps(sorted(files(serving / str(version)))) for version in versions(str(serving))}
    assert seen == expected
