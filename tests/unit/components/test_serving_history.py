"""The history and the fingerprints of published versions, and going back to an earlier one."""

import hashlib
import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.pusher import version_fingerprints as fingerprints
from components.pusher.publish import history, identity, publish, restore, versions
from components.pusher.serving_history import HISTORY, key_of, withdrawn
from tests.unit.components.test_publish import make_model
from trainer.errors import JobError

WHY = "wrong on holidays"


@pytest.fixture
def serving(tmp_path: Path) -> str:
    """A serving directory with the models a and b."""
    for name in "ab":
        publish(make_model(tmp_path / name, name), str(tmp_path / "serving"), 9, f"run-{name}", {"code": name})
    return str(tmp_path / "serving")


def test_a_version_says_what_it_is_and_what_it_was_made_from(serving: str) -> None:
    first, second = versions(serving)
    content = json.loads(Path(serving, str(second), fingerprints.FINGERPRINTS).read_text())
    files = {name: Path(serving, str(second), name).read_bytes() for name in content["files"]}
    assert list(files) == ["assets.extra/seqloom.json", "saved_model.pb", "variables/data"]
    assert content["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert content["origin"]["code"] == "b"
    assert content["origin"]["packages"]["tensorflow"].startswith("2.")
    published = content["published"]
    assert (published["action"], published["version"], published["run"]) == ("push", second, "run-b")
    assert (published["previous"], published["previous_model"]) == (first, {"digest": "a"})


def test_a_model_without_changes_is_accepted_and_one_without_fingerprints_is_not_checked(serving: str) -> None:
    folder = f"{serving}/{versions(serving)[0]}"
    fingerprints.require_unchanged(folder)
    Path(folder, fingerprints.FINGERPRINTS).unlink()
    Path(folder, "saved_model.pb").write_text("other")
    fingerprints.require_unchanged(folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    name=st.sampled_from(["assets.extra/seqloom.json", "saved_model.pb", "variables/data"]),
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def test_each_changed_bit_of_a_file_is_found(serving: str, name: str, place: float, bit: int) -> None:
    folder = Path(serving, str(versions(serving)[0]))
    before = (folder / name).read_bytes()
    after = bytearray(before)
    after[int(place * len(before))] ^= 1 << bit
    (folder / name).write_bytes(after)
    assert fingerprints.differences(str(folder)) == [f"{name} is changed"]
    (folder / name).write_bytes(before)
    assert fingerprints.differences(str(folder)) == []


def test_missing_new_and_damaged_files_are_named(serving: str) -> None:
    folder = Path(serving, str(versions(serving)[0]))
    (folder / "saved_model.pb").unlink()
    (folder / "variables" / "new").touch()
    (folder / "variables" / "data").unlink()
    (folder / "variables" / "data").symlink_to("nowhere")
    with pytest.raises(JobError, match="The model is not the one that was published") as caught:
        fingerprints.require_unchanged(str(folder))
    assert caught.value.found == "saved_model.pb is missing; variables/data cannot be read; variables/new is new"
    (folder / fingerprints.FINGERPRINTS).write_text("{")
    assert fingerprints.differences(str(folder)) == ["fingerprints.json cannot be read"]


def test_a_rollback_copies_a_version_to_the_newest_and_is_written_down(serving: str, tmp_path: Path) -> None:
    first, second = versions(serving)
    entry = restore(serving, first, WHY, "ada")
    assert versions(serving) == [first, second, entry.version]
    assert identity(f"{serving}/{entry.version}") == {"digest": "a"}
    assert fingerprints.differences(f"{serving}/{entry.version}") == []
    pushes, (last,) = history(serving)[:2], history(serving)[2:]
    assert [(each.action, each.version, each.run) for each in pushes] == [
        ("push", first, "run-a"),
        ("push", second, "run-b"),
    ]
    assert last == entry
    assert (last.action, last.source, last.previous, last.run) == ("rollback", first, second, "run-a")
    assert (last.why, last.user) == (WHY, "ada")
    content = fingerprints.read(f"{serving}/{last.version}") or {}
    assert content["origin"]["code"] == "a"


def test_a_model_that_was_rolled_back_is_not_published_until_a_rollback_brings_it_back(
    serving: str, tmp_path: Path
) -> None:
    first, second = versions(serving)
    back = restore(serving, first, WHY, "ada")
    refused = publish(str(tmp_path / "b"), serving, 9)
    assert (refused.version, refused.new) == (back.version, False)
    assert refused.withdrawn is not None
    assert refused.withdrawn.why == WHY
    assert set(withdrawn(history(serving))) == {key_of({"digest": "b"})}
    other = publish(make_model(tmp_path / "c", "c"), serving, 9)
    assert other.new
    restore(serving, second, "it was right", "ada")
    assert set(withdrawn(history(serving))) == {key_of({"digest": "c"})}
    assert publish(str(tmp_path / "b"), serving, 9)[1:] == (False, None)


def test_what_a_killed_process_could_not_write_down_is_found_in_the_versions(serving: str, tmp_path: Path) -> None:
    complete = history(serving)
    path = Path(serving, HISTORY)
    lines = path.read_text().splitlines(keepends=True)
    for damaged in (lines[0], lines[0] + lines[1][:20], "", "[]\n"):
        path.write_text(damaged)
        assert history(serving) == complete
    path.unlink()
    assert history(serving) == complete
    publish(make_model(tmp_path / "c", "c"), serving, 9)
    assert [json.loads(line)["version"] for line in path.read_text().splitlines()] == versions(serving)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {}}', '{"files": {}, "published": {"version": "x"}}'])
def test_damaged_fingerprints_tell_nothing(serving: str, content: str) -> None:
    first, second = versions(serving)
    Path(serving, HISTORY).unlink()
    Path(serving, str(first), fingerprints.FINGERPRINTS).write_text(content)
    assert [entry.version for entry in history(serving)] == [second]
    assert restore(serving, first, WHY, "ada").run is None


def _push(model: str, serving: str) -> None:
    publish(model, serving, 99)


def _restore(version: int, serving: str) -> None:
    restore(serving, version, WHY, "ada")


def test_pushes_and_rollbacks_at_once_wait_for_each_other(serving: str, tmp_path: Path) -> None:
    first = versions(serving)[0]
    models = [make_model(tmp_path / name, name) for name in "cdef"]
    context = multiprocessing.get_context("spawn")
    work = [(_push, (model, serving)) for model in models] + [(_restore, (first, serving))] * 2
    processes = [context.Process(target=function, args=arguments) for function, arguments in work]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    entries = history(serving)
    assert [entry.version for entry in entries] == versions(serving)
    assert len(entries) == 8
    assert [entry.previous for entry in entries] == [None, *(entry.version for entry in entries[:-1])]
    digests = [(identity(f"{serving}/{entry.version}") or {})["digest"] for entry in entries]
    assert sorted(digests) == ["a", "a", "a", "b", "c", "d", "e", "f"]
    assert [fingerprints.differences(f"{serving}/{entry.version}") for entry in entries] == [[]] * 8
