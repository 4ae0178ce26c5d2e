"""What killed runs left in a root."""

from __future__ import annotations

import re
import shutil
from collections.abc import Set
from pathlib import Path, PurePath

from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.dag.layout import Layout
from pipeline.runs.disk import PARTIAL
from pipeline.store.server_store import open_store

_DONE = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
_PARTIAL_VERSION = re.compile(r"\.\d+-[0-9a-f]{32}")


def remove(layout: Layout, connection: mlmd.ConnectionConfig) -> None:
    """Removes what earlier runs in a root left unfinished; no other run may be using the root.

    Artifacts that ML Metadata has are kept, and so are the checkpoints that a run resumes from.

    Args:
        layout: The root.
        connection: Its ML Metadata.
    """
    _remove_unfinished(layout, connection, "*")
    root = Path(layout.root)
    for pattern in ("quarantine/*/records.jsonl.*", f"*/{PARTIAL}*", f"logs/*/{PARTIAL}*"):
        for file in root.glob(pattern):
            file.unlink(missing_ok=True)
    for folder in Path(layout.serving).glob(".*"):
        if _PARTIAL_VERSION.fullmatch(folder.name):
            _remove(folder)


def remove_of(component: str, layout: Layout, connection: mlmd.ConnectionConfig) -> None:
    """Removes what earlier executions of a component left unfinished, while others may be running."""
    _remove_unfinished(layout, connection, component)


def _remove_unfinished(layout: Layout, connection: mlmd.ConnectionConfig, component: str) -> None:
    """Removes the outputs of unfinished executions, below the folders of components that match a glob."""
    artifacts, quarantine = Path(layout.artifacts), Path(layout.quarantine)
    outputs = [folder for folder in artifacts.glob(f"{component}/*/*") if folder.name.isdecimal()]
    made = outputs + ([*quarantine.glob("*")] if component == "*" else [])
    dead, kept = _unfinished({int(folder.name) for folder in made if folder.name.isdecimal()}, connection)
    quarantined = dead if component == "*" else dead & {folder.name for folder in outputs}
    for folder in outputs:
        if folder.name in dead and folder.relative_to(artifacts).parts not in kept:
            _remove(folder)
    for folder in (*artifacts.glob(f"{component}/.system"), *(quarantine / name for name in quarantined)):
        _remove(folder)


def _unfinished(executions: Set[int], connection: mlmd.ConnectionConfig) -> tuple[Set[str], Set[tuple[str, ...]]]:
    """Returns which executions have not finished, and the last three parts of the outputs that they have nevertheless.

    Only these parts of a URI count, because the root may have been moved: component, channel, execution.
    """
    store = open_store(connection)
    found = store.get_executions_by_id(sorted(executions)) if executions else []
    dead = [execution.id for execution in found if execution.last_known_state not in _DONE]
    events = store.get_events_by_execution_ids(dead) if dead else []
    ids = sorted({event.artifact_id for event in events})
    uris = [PurePath(artifact.uri).parts for artifact in (store.get_artifacts_by_id(ids) if ids else [])]
    return {str(number) for number in dead}, {parts[-3:] for parts in uris} | {parts[-4:-1] for parts in uris}


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
