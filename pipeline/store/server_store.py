"""Connections to ML Metadata that end at the first fault of their server."""

from __future__ import annotations

import copy
import re
import time
from typing import Any

from ml_metadata import errors, metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.store import backslashes
from trainer.errors import TransientError

_INTERVAL = 0.5

_LOST = re.compile(
    r"mysql_real_connect failed|Lost connection|gone away|PostgreSQL metadata source error: "
    r"(?:\s*$|server closed|could not (?:connect|send|receive)|no connection|FATAL|SSL)"
)
_BY_IDS = {
    "GetArtifactsByID": ("artifact_ids", "artifacts"),
    "GetExecutionsByID": ("execution_ids", "executions"),
    "GetContextsByID": ("context_ids", "contexts"),
}
"""The calls that ask for ids: the fields of the request and of the response."""
_CONFLICT = re.compile(r"[Dd]eadlock|could not serialize|[Ll]ock wait timeout|[Dd]uplicate (?:entry|key)")


class ServerStore(metadata_store.MetadataStore):
    """ML Metadata on a server.

    After a lost connection, the library would use what it has freed, so there is no other call.
    """

    _lost: str | None = None

    def _call_method(self, method_name: str, request: Any, response: Any) -> None:
        if self._lost is not None:
            raise _closed(self._lost)
        in_postgresql = self._config.WhichOneof("config") == "postgresql"
        if in_postgresql:
            # A copy, since the base class may repeat the call.
            request = copy.deepcopy(request)
            backslashes.encode(request)
        try:
            super()._call_method(method_name, request, response)
            if in_postgresql:
                backslashes.decode(response)
            _restore_order(method_name, request, response)
        except (errors.InternalError, errors.UnknownError) as error:
            text = str(error)
            if _LOST.search(text):
                self._lost = text
                raise _closed(text) from error
            if _CONFLICT.search(text):
                # The base class repeats aborted calls.
                raise errors.AbortedError(text) from error
            raise


def _restore_order(method_name: str, request: Any, response: Any) -> None:
    """Sorts what was asked for by ids as the ids are: TFX pairs both, but a server has an order of its own."""
    if method_name in _BY_IDS:
        ids, found = (
            getattr(message, name) for message, name in zip((request, response), _BY_IDS[method_name], strict=True)
        )
        places = {number: place for place, number in enumerate(ids)}
        found.sort(key=lambda one: places[one.id])


def is_server(connection: mlmd.ConnectionConfig) -> bool:
    """Returns whether a connection is to a server, not to a file."""
    return str(connection.WhichOneof("config")) in ("mysql", "postgresql")


def open_store(connection: mlmd.ConnectionConfig, patience: float = 5) -> metadata_store.MetadataStore:
    """Opens a store; one on a server must have been initialized.

    Args:
        connection: The store.
        patience: For how many seconds a server may not answer.

    Raises:
        TransientError: If the server does not answer for longer.
    """
    if not is_server(connection):
        return metadata_store.MetadataStore(connection)
    end = time.monotonic() + patience
    while True:
        try:
            return ServerStore(connection)
        except RuntimeError as error:
            if time.monotonic() > end:
                raise _closed(str(error)) from error
            time.sleep(_INTERVAL)


def _closed(found: str) -> TransientError:
    return TransientError(
        "The connection to the metadata store is lost.",
        where="ML Metadata",
        found=" ".join(found.split()),
        fix="run the same command again when the server answers",
    )
