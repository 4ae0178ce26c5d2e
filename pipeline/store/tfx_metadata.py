"""TFX's connection to ML Metadata."""

from __future__ import annotations

from tfx.orchestration import metadata

from pipeline.store.server_store import is_server, open_store

_PATIENCE = 60
"""For how many seconds a server may not answer while a run is in progress."""


class StoreMetadata(metadata.Metadata):
    """TFX's connection to ML Metadata, by `open_store` for servers.

    A component that has computed its results waits for a server that restarts.
    """

    def __enter__(self) -> StoreMetadata:
        if is_server(self._connection_config):
            self._store = open_store(self._connection_config, _PATIENCE)
            self._users += 1
        else:
            super().__enter__()
        return self
