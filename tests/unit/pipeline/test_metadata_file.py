"""Files that take the place of a root's metadata."""

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.dag.lineage import sqlite
from pipeline.runs.metadata_file import check, mend
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


@pytest.fixture
def filled(path: Path) -> metadata_store.MetadataStore:
    """A store with an execution that has two outputs in a context, all with properties."""
    store = metadata_store.MetadataStore(sqlite(str(path)))
    types = {
        mlmd.ArtifactType: store.put_artifact_type,
        mlmd.ExecutionType: store.put_execution_type,
        mlmd.ContextType: store.put_context_type,
    }
    kinds = [put(kind(name="Any", properties={"note": mlmd.STRING})) for kind, put in types.items()]
    note = {"note": mlmd.Value(string_value="x")}
    outputs = [mlmd.Artifact(type_id=kinds[0], uri=uri, properties=note) for uri in ("/one", "/two")]
    store.put_execution(
        mlmd.Execution(type_id=kinds[1], properties=note),
        [(output, mlmd.Event(type=mlmd.Event.OUTPUT)) for output in outputs],
        [mlmd.Context(type_id=kinds[2], name="run", properties=note)],
    )
    return store


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def test_sound_and_missing_metadata_is_left_as_it_is(
    filled: metadata_store.MetadataStore, path: Path, tmp_path: Path
) -> None:
    before = rows(path)
    mend(path)
    assert rows(path) == before
    mend(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(("table", "left"), [("Artifact", 1), ("Execution", 0), ("Context", 2)])
def test_what_refers_to_a_row_that_the_disk_refused_is_removed(
    filled: metadata_store.MetadataStore, path: Path, table: str, left: int
) -> None:
    (execution,) = filled.get_executions()
    change(path, f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})")
    mend(path)
    events = filled.get_events_by_execution_ids([execution.id])
    assert len(events) == left
    assert len(filled.get_artifacts_by_id([event.artifact_id for event in events])) == left
    found = rows(path)
    ids = {name: {row[0] for row in found[name]} for name in ("Artifact", "Execution", "Context", "Event")}
    assert {row[0] for row in found["ArtifactProperty"]} == ids["Artifact"]
    assert {row[0] for row in found["ExecutionProperty"]} == ids["Execution"]
    assert {row[0] for row in found["ContextProperty"]} == ids["Context"]
    assert {row[1] for row in found["Attribution"]} <= ids["Context"]
    assert {row[2] for row in found["Attribution"]} <= ids["Artifact"]
    assert {row[2] for row in found["Association"]} <= ids["Execution"]
