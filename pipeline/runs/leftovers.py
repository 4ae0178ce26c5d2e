"""What killed runs left in a root."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Set
from pathlib import Path, PurePath

from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.pusher.serving_lock import locked
from pipeline.dag.layout import Layout
from pipeline.runs.disk import PARTIAL
from pipeline.store.server_store import open_store

_DONE = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
_PARTIAL_VERSION = re.compile(r"\.(\d+|history\.jsonl)-[0-9a-f]{32}")


def remove(layout: Layout, connection: mlmd.ConnectionConfig) -> None:
    """Removes what earlier runs in a root left unfinished; no other run may be using the root.

    Artifacts that ML Metadata has are kept, and so are the checkpoints that a run resumes from.

    Args:
        layout: The root.
        connection: Its ML Metadata.
    """
    for path in find(layout, connection):
        _remove(path)


def find(layout: Layout, connection: mlmd.ConnectionConfig) -> list[Path]:
    """Returns the existing files and folders that `remove` removes."""
    root = Path(layout.root)
    patterns = ("quarantine/*/records.jsonl.*", f"*/{PARTIAL}*", f"logs/*/{PARTIAL}*")
    files = [file for pattern in patterns for file in root.glob(pattern)]
    return [*_unfinished(layout, connection, "*"), *files, *_partial_versions(Path(layout.serving))]


def remove_of(component: str, layout: Layout, connection: mlmd.ConnectionConfig) -> None:
    """Removes what earlier executions of a component left unfinished, while others may be running."""
    for path in _unfinished(layout, connection, component):
        _remove(path)


def _partial_versions(serving: Path) -> list[Path]:
    """Returns what killed pushes and rollbacks left; a rollback may be at work, which its lock tells."""
    if not serving.is_dir():
        return []
    with locked(str(serving)):
        return [one for one in serving.glob(".*") if _PARTIAL_VERSION.fullmatch(one.name)]


def _unfinished(layout: Layout, connection: mlmd.ConnectionConfig, component: str) -> Iterator[Path]:
    """Yields the existing outputs of unfinished executions, below the folders of components that match a glob."""
    artifacts, quarantine = Path(layout.artifacts), Path(layout.quarantine)
    outputs = [folder for folder in artifacts.glob(f"{component}/*/*") if folder.name.isdecimal()]
    made = outputs + ([*quarantine.glob("*")] if component == "*" else [])
    dead, kept = _unfinished_of({int(folder.name) for folder in made if folder.name.isdecimal()}, connection)
    quarantined = dead if component == "*" else dead & {folder.name for folder in outputs}
    for folder in outputs:
        if folder.name in dead and folder.relative_to(artifacts).parts not in kept:
            yield folder
    yield from artifacts.glob(f"{component}/.system")
    yield from filter(Path.exists, (quarantine / name for name in sorted(quarantined)))


def _unfinished_of(executions: Set[int], connection: mlmd.ConnectionConfig) -> tuple[Set[str], Set[tuple[str, ...]]]:
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


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
