"""TFX's connection to ML Metadata, for several processes on one store."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType

from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.runners.steps.step_locks import metadata_lock
from pipeline.store.tfx_metadata import StoreMetadata


class SharedMetadata(StoreMetadata):
    """A connection that holds the lock of the store while it is open."""

    def __init__(self, connection: mlmd.ConnectionConfig, root: Path) -> None:
        super().__init__(connection)
        self._root = root
        self._held = contextlib.ExitStack()
        self._thread = threading.RLock()
        self._depth = 0

    def __enter__(self) -> SharedMetadata:
        self._thread.acquire()
        if self._depth == 0:
            self._held.enter_context(metadata_lock(self._root))
        self._depth += 1
        try:
            super().__enter__()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._leave()

    def _leave(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._held.close()
        self._thread.release()
