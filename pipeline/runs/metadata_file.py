"""Checks the SQLite file of ML Metadata before a run uses it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ml_metadata import errors, metadata_store

from pipeline.dag.lineage import sqlite
from trainer.errors import JobError

_LOCK_SECONDS = 2


def check(path: Path) -> None:
    """Checks that a file, if it exists, is a database that this ML Metadata can write.

    Raises:
        JobError: If it is damaged, in use, newer, or of another program.
    """
    if not path.exists():
        return
    if path.is_dir():
        raise _invalid(path, "a folder")
    try:
        with contextlib.closing(_connect(path)) as database:
            database.execute("BEGIN IMMEDIATE")
            ((state,),) = database.execute("PRAGMA quick_check(1)")
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        if "locked" in str(error):
            fix = "close the program that has it open"
            raise JobError("The root's metadata is in use.", where=str(path), found=str(error), fix=fix) from error
        raise _invalid(path, str(error)) from error
    if state != "ok":
        raise _invalid(path, state.splitlines()[-1])
    if tables and "MLMDEnv" not in tables:
        raise _invalid(path, f"a database of another program, with the tables {', '.join(sorted(tables)[:5])}")
    try:
        metadata_store.MetadataStore(sqlite(str(path)))
    except (RuntimeError, errors.StatusError) as error:
        raise _invalid(path, str(error).partition(". ")[0]) from error


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", _LOCK_SECONDS, isolation_level=None, uri=True)


def _invalid(path: Path, found: str) -> JobError:
    return JobError(
        "The root's metadata cannot be used.",
        where=str(path),
        found=found,
        expected="a database of this version of ML Metadata",
        fix="restore it from a backup, or move it away: the next run then computes all results again",
    )
