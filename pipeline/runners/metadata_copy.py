"""Launches components without a trace in the root: on a copy of its ML Metadata, with outputs elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.dag import lineage
from pipeline.dag.layout import Layout
from pipeline.runs.prepare import PreparedRun
from pipeline.store.server_store import is_server
from pipeline.store.stores import PipelineStore, copy_store


@contextlib.contextmanager
def on_copy(
    prepared: PreparedRun, lock: contextlib.AbstractContextManager[None] | None = None
) -> Iterator[PreparedRun]:
    """Yields the same run on a copy of its ML Metadata, which is removed at the end.

    Args:
        prepared: The run; nothing else of its root is copied.
        lock: Held while the metadata is copied.
    """
    with tempfile.TemporaryDirectory() as folder:
        copied = str(Path(folder, "metadata.sqlite"))
        with lock or contextlib.nullcontext():
            if is_server(prepared.metadata):
                copy_store(prepared.job, prepared.store.pipeline, Path(copied))
            else:
                shutil.copyfile(prepared.metadata.sqlite.filename_uri, copied)
        layout = Layout(prepared.layout.root)
        layout.artifacts = str(Path(folder, "artifacts"))
        store = PipelineStore(lineage.sqlite(copied), prepared.store.pipeline)
        yield dataclasses.replace(prepared, store=store, layout=layout)
