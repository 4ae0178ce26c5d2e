"""Where the metadata of a job's runs in a root is: a file of the root, or a pipeline in a store on a server."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.config.job import Job
from pipeline.config.metadata_settings import ServerAddress
from pipeline.dag.layout import Layout
from pipeline.dag.lineage import sqlite
from pipeline.runs import metadata_file
from pipeline.store import root_identity, store_schema
from pipeline.store.databases import Database, connected
from pipeline.store.passwords import password_of
from pipeline.store.store_copy import copy_pipeline
from trainer.errors import JobError

_MAX_NAME = 50
"""TFX takes names of 63 characters, of which a root's id has 13."""

_PLAIN = re.compile(r"[^\s'\\]+")


@dataclasses.dataclass(frozen=True)
class PipelineStore:
    """The metadata of a job's runs in a root.

    Attributes:
        connection: The connection to ML Metadata.
        pipeline: The name of TFX's pipeline, by which all look-ups are limited to the job in this root.
    """

    connection: mlmd.ConnectionConfig = dataclasses.field(repr=False)
    pipeline: str


def has_runs(job: Job, root: Path) -> bool:
    """Returns whether there is metadata of a root.

    Raises:
        JobError: If it is elsewhere than the job says.
    """
    layout = Layout(root)
    if job.metadata.address is None:
        root_identity.require_file(layout)
        return Path(layout.metadata).exists()
    root_identity.require_server(layout)
    return root_identity.read_identity(layout) is not None


def known_store(job: Job, root: Path) -> PipelineStore:
    """Returns the metadata of a root that has been opened before, or that is in a file; does not connect.

    Raises:
        JobError: If it is elsewhere than the job says.
    """
    layout = Layout(root)
    address = job.metadata.address
    if address is None:
        root_identity.require_file(layout)
        return PipelineStore(sqlite(layout.metadata), job.name)
    found = root_identity.read_identity(layout)
    if found is None:
        raise JobError("The root has no metadata yet.", where=str(root), fix="run `seqloom run` first")
    return PipelineStore(server_connection(address, password_of(job)), _pipeline_name(job.name, found.id))


def opened_store(job: Job, root: Path) -> PipelineStore:
    """Checks the store of a root whose lock the caller holds; on a server, initializes it and registers the root.

    Raises:
        TransientError: If the server does not answer.
        JobError: If the store cannot be used, or the root's metadata is elsewhere than the job says.
    """
    layout = Layout(root)
    address = job.metadata.address
    if address is None:
        metadata_file.check(Path(layout.metadata))
        metadata_file.mend(Path(layout.metadata))
    else:
        root_identity.require_server(layout)
        connection = server_connection(address, password_of(job))
        with connected(address, password_of(job)) as database:
            store_schema.initialize(database, connection)
            root_identity.claim(layout, database, connection)
    return known_store(job, root)


@contextlib.contextmanager
def snapshot(job: Job, root: Path) -> Iterator[PipelineStore]:
    """Yields the metadata of a root that has some, for look-ups; that of a server is a copy in a temporary file.

    Raises:
        TransientError: If the server does not answer.
        JobError: If the store cannot be used.
    """
    if job.metadata.address is None:
        yield opened_store(job, root)
        return
    found = known_store(job, root)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, "metadata.sqlite")
        copy_store(job, found.pipeline, copied)
        yield PipelineStore(sqlite(str(copied)), found.pipeline)


def copy_store(job: Job, pipeline: str, path: Path) -> None:
    """Copies what a store on a server has of a pipeline to a new file.

    Raises:
        TransientError: If the server does not answer.
        JobError: If the store cannot be used.
    """
    with server_database(job) as database:
        if not store_schema.is_complete(database):
            fix = "run `seqloom store init`, or correct metadata.url"
            raise JobError("The metadata store is not initialized.", where=database.place, fix=fix)
        copy_pipeline(database, pipeline, path)


@contextlib.contextmanager
def server_database(job: Job) -> Iterator[Database]:
    """Opens the database of a job whose store is on a server; see `connected`."""
    address = job.metadata.address
    if address is None:
        raise ValueError("the metadata of the job is in a file")
    with connected(address, password_of(job)) as database:
        yield database


def server_connection(address: ServerAddress, password: str) -> mlmd.ConnectionConfig:
    """Returns the connection of ML Metadata to a server."""
    connection = mlmd.ConnectionConfig()
    if address.scheme == "mysql":
        server = connection.mysql
        # Its client takes localhost for a socket at a path of its own.
        server.host = "127.0.0.1" if address.host == "localhost" else address.host
        server.port, server.database, server.password = address.port, address.database, password
    else:
        server = connection.postgresql
        server.host, server.port, server.dbname = address.host, str(address.port), address.database
        # ML Metadata passes it on in a text of keys and values.
        escaped = re.sub(r"([\\'])", r"\\\1", password)
        server.password = password if _PLAIN.fullmatch(password) or not password else f"'{escaped}'"
    server.user, server.skip_db_creation = address.user, True
    return connection


def _pipeline_name(job: str, root: str) -> str:
    if len(job) > _MAX_NAME:
        job = f"{job[: _MAX_NAME - 9]}-{hashlib.sha256(job.encode()).hexdigest()[:8]}"
    return f"{job}@{root}"
