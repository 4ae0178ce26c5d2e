"""Checks the SQLite file of ML Metadata before a run uses it, and mends what a full disk left in it."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ml_metadata import errors, metadata_store

from pipeline.dag.lineage import sqlite
from trainer.errors import JobError

_LOCK_SECONDS = 2
_REFERENCES = (
    ("Artifact", {"type_id": "Type"}),
    ("Execution", {"type_id": "Type"}),
    ("Context", {"type_id": "Type"}),
    ("TypeProperty", {"type_id": "Type"}),
    ("ParentType", {"type_id": "Type", "parent_type_id": "Type"}),
    ("ArtifactProperty", {"artifact_id": "Artifact"}),
    ("ExecutionProperty", {"execution_id": "Execution"}),
    ("ContextProperty", {"context_id": "Context"}),
    ("ParentContext", {"context_id": "Context", "parent_context_id": "Context"}),
    ("Event", {"artifact_id": "Artifact", "execution_id": "Execution"}),
    ("EventPath", {"event_id": "Event"}),
    ("Association", {"context_id": "Context", "execution_id": "Execution"}),
    ("Attribution", {"context_id": "Context", "artifact_id": "Artifact"}),
)
"""Tables of ML Metadata and the tables that their columns refer to; each after those that it refers to."""


def check(path: Path) -> None:
    """Checks that a file, if it exists, is a database that this ML Metadata can write.

    Raises:
        JobError: If it is damaged, in use, newer, or of another program.
    """
    if not path.exists():
        return
    if path.is_dir():
        raise _invalid(path, "a folder")
    with _changing(path) as database:
        ((state,),) = database.execute("PRAGMA quick_check(1)")
        tables = _tables(database)
    if state != "ok":
        raise _invalid(path, state.splitlines()[-1])
    if tables and "MLMDEnv" not in tables:
        raise _invalid(path, f"a database of another program, with the tables {', '.join(sorted(tables)[:5])}")
    try:
        metadata_store.MetadataStore(sqlite(str(path)))
    except (RuntimeError, errors.StatusError) as error:
        raise _invalid(path, str(error).partition(". ")[0]) from error


def mend(path: Path) -> None:
    """Removes rows of a checked file that refer to rows which it lacks.

    If the disk refuses a change, SQLite may take the whole transaction back, while ML Metadata makes the rest of its
    changes. What remains refers to nothing, or later to another row that gets the same id.
    """
    if not path.exists():
        return
    with _changing(path) as database:
        present = _tables(database)
        removed = sum(
            database.execute(f"DELETE FROM {table} WHERE {_dangling(table, columns)}").rowcount  # noqa: S608 - constants
            for table, columns in _REFERENCES
            if table in present
        )
    if removed:
        logging.warning("%s: removed %d rows of a change that the disk refused halfway", path, removed)


def _dangling(table: str, columns: dict[str, str]) -> str:
    return " OR ".join(
        f"NOT EXISTS (SELECT 1 FROM {parent} WHERE {parent}.id = {table}.{column})"  # noqa: S608 - constants
        for column, parent in columns.items()
    )


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[sqlite3.Connection]:
    """Yields a database in a transaction that no other one writes beside."""
    place = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with contextlib.closing(sqlite3.connect(place, _LOCK_SECONDS, isolation_level=None, uri=True)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
    except sqlite3.Error as error:
        if "locked" in str(error):
            fix = "close the program that has it open"
            raise JobError("The root's metadata is in use.", where=str(path), found=str(error), fix=fix) from error
        raise _invalid(path, str(error)) from error


def _tables(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _invalid(path: Path, found: str) -> JobError:
    return JobError(
        "The root's metadata cannot be used.",
        where=str(path),
        found=found,
        expected="a database of this version of ML Metadata",
        fix="restore it from a backup, or move it away: the next run then computes all results again",
    )
