"""Copies one pipeline from a store on a server to a SQLite file with all ids, as keys of the cache depend on them."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ml_metadata import metadata_store

from pipeline.dag.lineage import sqlite
from pipeline.store.databases import Database

_EXECUTIONS = "SELECT execution_id FROM Association WHERE context_id = {pipeline}"
_ARTIFACTS = f"SELECT artifact_id FROM Event WHERE execution_id IN ({_EXECUTIONS})"  # noqa: S608 - constants
_CONTEXTS = f"SELECT context_id FROM Association WHERE execution_id IN ({_EXECUTIONS})"  # noqa: S608 - constants
_EVENTS = f"SELECT id FROM Event WHERE execution_id IN ({_EXECUTIONS})"  # noqa: S608 - constants
_ROWS = {
    "Type": "1 = 1",
    "TypeProperty": "1 = 1",
    "ParentType": "1 = 1",
    "Execution": f"id IN ({_EXECUTIONS})",
    "ExecutionProperty": f"execution_id IN ({_EXECUTIONS})",
    "Artifact": f"id IN ({_ARTIFACTS})",
    "ArtifactProperty": f"artifact_id IN ({_ARTIFACTS})",
    "Context": f"id IN ({_CONTEXTS})",
    "ContextProperty": f"context_id IN ({_CONTEXTS})",
    "ParentContext": f"context_id IN ({_CONTEXTS}) AND parent_context_id IN ({_CONTEXTS})",
    "Event": f"execution_id IN ({_EXECUTIONS})",
    "EventPath": f"event_id IN ({_EVENTS})",
    "Association": f"execution_id IN ({_EXECUTIONS})",
    "Attribution": f"context_id IN ({_CONTEXTS}) AND artifact_id IN ({_ARTIFACTS})",
}
"""The rows of a pipeline in each table, given the id of its context."""


def copy_pipeline(database: Database, pipeline: str, path: Path) -> None:
    """Copies the executions of a pipeline with their artifacts and contexts, all from the same moment.

    Args:
        database: The database of the store.
        pipeline: The name of the pipeline; a store without it yields a file without executions.
        path: The new file.

    Raises:
        TransientError: If the server does not answer.
    """
    metadata_store.MetadataStore(sqlite(str(path)))
    database.begin_snapshot()
    kinds = database.rows("SELECT id FROM Type WHERE name = 'pipeline' AND type_kind = 2")
    found = [
        number
        for (kind,) in kinds
        for number, name in database.rows(f"SELECT id, name FROM Context WHERE type_id = {int(kind)}")  # noqa: S608
        if name == pipeline
    ]
    number = int(found[0]) if found else 0
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        for table, condition in _ROWS.items():
            columns = [row[1] for row in file.execute(f"PRAGMA table_info({table})")]
            names = ", ".join(columns)
            where = condition.format(pipeline=number)
            rows = database.rows(f"SELECT {names} FROM {table} WHERE {where}")  # noqa: S608 - constants and a number
            file.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant
            marks = ", ".join("?" * len(columns))
            file.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - constants
