"""The tables of ML Metadata on a server: are they there, and of this version? Creates them once."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.dag.lineage import sqlite
from pipeline.store.databases import Database
from trainer.errors import JobError

_ATTEMPTS = 20
_INTERVAL = 0.5


class Schema(NamedTuple):
    """The schema of this version of ML Metadata.

    Attributes:
        version: The version of the schema.
        tables: The names of its tables.
        types: The names of the types that each store has.
    """

    version: int
    tables: frozenset[str]
    types: frozenset[str]


def is_complete(database: Database) -> bool:
    """Returns whether a database has all tables of ML Metadata.

    Raises:
        JobError: If it is of another program, or of another version of ML Metadata.
    """
    found, expected = database.tables(), own_schema()
    ours = frozenset(name.lower() for name in expected.tables)
    if "mlmdenv" not in found:
        if others := sorted(found - ours):
            raise JobError(
                "The database is of another program.",
                where=database.place,
                found=f"the tables {', '.join(others[:5])}",
                expected="an empty database, or one of ML Metadata",
                fix="create a database of its own for ML Metadata, and correct metadata.url",
            )
        return False
    versions = [version for (version,) in database.rows("SELECT schema_version FROM MLMDEnv")]
    if versions and versions != [expected.version]:
        raise JobError(
            "The database is of another version of ML Metadata.",
            where=database.place,
            found=f"schema {versions[0]}",
            expected=f"schema {expected.version}",
            fix="use another database, or the version of seqloom that it was made with",
        )
    types = {name for (name,) in database.rows("SELECT name FROM Type")} if "type" in found else set()
    return bool(versions) and ours <= found and expected.types <= types


def initialize(database: Database, connection: mlmd.ConnectionConfig) -> bool:
    """Creates the tables of ML Metadata in a database, unless it has them; for any number of processes at once.

    Returns:
        Whether this process has created them.

    Raises:
        JobError: If they cannot be created, or the database is of another program or version.
    """
    if is_complete(database):
        return False
    with database.locked():
        if is_complete(database):
            return False
        # Other programs do not take the lock.
        last = ""
        for _ in range(_ATTEMPTS):
            try:
                metadata_store.MetadataStore(connection)
            except RuntimeError as error:
                last = str(error)
                time.sleep(_INTERVAL)
            else:
                return True
    raise JobError(
        "The metadata store cannot be initialized.",
        where=database.place,
        found=last.partition(" checks:")[0],
        fix="give the user all rights on the database; if it has some of the tables only, drop it and create it again",
    )


@functools.cache
def own_schema() -> Schema:
    """Returns the schema of this version of ML Metadata, from a file that it makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "metadata.sqlite"))
        metadata_store.MetadataStore(sqlite(path))
        with contextlib.closing(sqlite3.connect(path)) as file:
            ((version,),) = file.execute("SELECT schema_version FROM MLMDEnv")
            names = file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            tables = frozenset(name for (name,) in names)
            types = frozenset(name for (name,) in file.execute("SELECT name FROM Type"))
    return Schema(version, tables, types)
