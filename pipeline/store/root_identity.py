"""The identity of a root in a store that several roots share: an id in a file of the root, and in the store."""

from __future__ import annotations

import uuid
from pathlib import Path

from ml_metadata import errors
from ml_metadata.proto import metadata_store_pb2 as mlmd
from pydantic import BaseModel, ConfigDict

from pipeline.dag.layout import Layout
from pipeline.runs import disk
from pipeline.store.databases import Database
from pipeline.store.server_store import open_store
from trainer.errors import JobError

_CONTEXT = "seqloom_root"
"""The type of the contexts of ML Metadata that stand for roots."""


class RootIdentity(BaseModel):
    """What a root holds about its store.

    Attributes:
        id: The id of the root in the store.
        path: The absolute path of the root when it was used last.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    path: str


def read_identity(layout: Layout) -> RootIdentity | None:
    """Returns the identity of a root, None if it has none yet."""
    path = Path(layout.identity)
    return RootIdentity.model_validate_json(path.read_bytes()) if path.exists() else None


def require_file(layout: Layout) -> None:
    """Checks that the metadata of a root is not in a store on a server.

    Raises:
        JobError: If it is.
    """
    if Path(layout.identity).exists():
        raise JobError(
            "The root's metadata is in a store on a server.",
            where=str(layout.root),
            found=Path(layout.identity).name,
            expected="a root without one for metadata: sqlite",
            fix="set metadata to the address of the store, or use another --root",
        )


def require_server(layout: Layout) -> None:
    """Checks that the metadata of a root is not in a file.

    Raises:
        JobError: If it is.
    """
    if Path(layout.metadata).exists():
        raise JobError(
            "The root's metadata is in a file.",
            where=str(layout.root),
            found=Path(layout.metadata).name,
            expected="a new root for a store on a server",
            fix="use another --root, or set metadata: sqlite",
        )


def claim(layout: Layout, database: Database, connection: mlmd.ConnectionConfig) -> None:
    """Gives a root an identity in a store, or checks the one that it has; the caller holds the root's lock.

    Args:
        layout: The root.
        database: The database of the store, which has been initialized.
        connection: The connection of ML Metadata to the same database.

    Raises:
        JobError: If the root's metadata is elsewhere, or the root is a copy of another.
    """
    require_server(layout)
    found = read_identity(layout)
    here = str(layout.root)
    if found is None:
        found = RootIdentity(id=uuid.uuid4().hex[:12], path=here)
        _register(found.id, database, connection)
    elif not _is_registered(found.id, connection):
        raise JobError(
            "The root's metadata is in another store.",
            where=here,
            found=f"no root {found.id} in {database.place}",
            fix="set metadata to the address of the store that the root was used with, or use another --root",
        )
    elif found.path != here:
        _require_moved(found, layout)
        found = RootIdentity(id=found.id, path=here)
    else:
        return
    disk.write(Path(layout.identity), found.model_dump_json().encode())


def _require_moved(found: RootIdentity, layout: Layout) -> None:
    """Checks that a root which was elsewhere is not there any more."""
    earlier = Layout(Path(found.path))
    original, here = Path(earlier.identity), Path(layout.identity)
    if original.exists() and read_identity(earlier) == found and not original.samefile(here):
        raise JobError(
            "The root is a copy of another one, whose metadata it shares.",
            where=str(layout.root),
            found=f"the id of {found.path} in {here.name}",
            expected="a root that was moved, or that is new",
            fix=f"use the original root, or a new --root; or remove {here} to start without earlier results",
        )


def _is_registered(root: str, connection: mlmd.ConnectionConfig) -> bool:
    try:
        return open_store(connection).get_context_by_type_and_name(_CONTEXT, root) is not None
    except errors.NotFoundError:  # The store has no root at all.
        return False


def _register(root: str, database: Database, connection: mlmd.ConnectionConfig) -> None:
    with database.locked():  # Two processes cannot create a type together.
        store = open_store(connection)
        kind = store.put_context_type(mlmd.ContextType(name=_CONTEXT))
        store.put_contexts([mlmd.Context(type_id=kind, name=root)])
