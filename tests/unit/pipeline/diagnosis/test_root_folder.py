"""A root that is new, cannot be made, is in use, or has metadata that cannot be read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ml_metadata import metadata_store

from pipeline.dag.lineage import sqlite
from pipeline.diagnosis.root_folder import root_folder
from pipeline.runs.lock import RootLock


def test_a_new_root_is_not_created(tmp_path: Path) -> None:
    root = tmp_path / "runs" / "new"
    assert list(root_folder(root)) == [("Root", "ok", f"{root}, which a run creates", None)]
    assert not root.parent.exists()


def test_a_root_below_a_file_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = root_folder(tmp_path / "file" / "root")
    assert found.state == "missing"
    assert found.found == f"{tmp_path}/file/root cannot be created: {tmp_path}/file is not a folder"
    (found,) = root_folder(tmp_path / "file")
    assert (found.state, found.remedy) == ("missing", "use another --root")


def test_a_root_in_a_read_only_folder_cannot_be_created(tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    (found,) = root_folder(folder / "root")
    assert found == (
        "Root",
        "missing",
        f"{folder}/root cannot be created: {folder} is not writable",
        "use another --root",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is a folder to which not even a superuser can write")
def test_an_existing_root_has_to_be_writable() -> None:
    (found,) = root_folder(Path("/proc/self"))
    assert found.state == "missing"
    assert found.found.startswith("The root is not a writable folder: ")


def test_a_used_root_is_free_and_its_metadata_is_readable(tmp_path: Path) -> None:
    new, used = tmp_path / "new", tmp_path / "used"
    new.mkdir()
    used.mkdir()
    metadata_store.MetadataStore(sqlite(str(used / "metadata.sqlite")))
    before = (used / "metadata.sqlite").read_bytes()
    assert [one[:2] for one in root_folder(new)] == [("Root", "ok"), ("ML Metadata", "ok")]
    root, metadata = root_folder(used)
    assert root.found == f"{used}, writable and not used by a run"
    assert metadata == ("ML Metadata", "ok", "metadata.sqlite, readable", None)
    assert (used / "metadata.sqlite").read_bytes() == before
    assert {path.name for path in used.iterdir()} == {"metadata.sqlite", ".lock"}


def test_a_root_that_a_run_holds_is_a_warning(tmp_path: Path) -> None:
    with RootLock(tmp_path):
        (found,) = root_folder(tmp_path)
    assert found == (
        "Root",
        "warning",
        f"{tmp_path} is used by process {os.getpid()}",
        "wait until it ends, or use another --root",
    )


def test_damaged_metadata_and_a_file_in_place_of_a_folder_are_missing(tmp_path: Path) -> None:
    (tmp_path / "metadata.sqlite").write_bytes(b"no database" * 100)
    root, metadata = root_folder(tmp_path)
    assert (root.state, metadata.state) == ("ok", "missing")
    assert metadata.found.startswith("The root's metadata cannot be used: ")
    assert str(metadata.remedy).startswith("restore it from a backup")
    (tmp_path / "artifacts").touch()
    (found,) = root_folder(tmp_path)
    assert found[1:] == (
        "missing",
        "artifacts in the root is not a writable folder",
        "rename it, or use another --root",
    )
