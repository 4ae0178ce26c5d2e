"""Files that take the place of a root's metadata."""

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest
from ml_metadata import metadata_store

from pipeline.dag.lineage import sqlite
from pipeline.runs.metadata_file import check
from trainer.errors import JobError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The metadata of a root that a run has used."""
    metadata_store.MetadataStore(sqlite(str(tmp_path / "metadata.sqlite")))
    return tmp_path / "metadata.sqlite"


def change(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def foreign(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE notes (text)")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_used_missing_and_empty_metadata_is_accepted(path: Path, tmp_path: Path) -> None:
    used = path.read_bytes()
    check(path)
    check(tmp_path / "missing")
    assert path.read_bytes() == used
    assert not (tmp_path / "missing").exists()
    path.write_bytes(b"")
    check(path)
    metadata_store.MetadataStore(sqlite(str(path)))


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (folder, "a folder"),
        (lambda path: path.write_bytes(b"no database" * 100), "not a database"),
        (truncate, "malformed|page|Page|tree"),
        (foreign, "another program, with the tables notes"),
        (lambda path: change(path, "UPDATE MLMDEnv SET schema_version = 99"), "version 99 is greater"),
    ],
)
def test_other_files_are_reported_with_a_remedy(path, damage, found):
    damage(path)
    with pytest.raises(JobError, match="metadata cannot be used") as caught:
        check(path)
    assert caught.value.where == str(path)
    assert re.search(found, caught.value.found)
    assert "move it away" in caught.value.fix


def test_metadata_in_use_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.runs.metadata_file._LOCK_SECONDS", 0)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JobError, match="metadata is in use") as caught:
            check(path)
    assert caught.value.found == "database is locked"
    check(path)
