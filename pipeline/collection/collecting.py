"""Collects what is dead in a root, and deletes it so that a kill at any moment does no harm."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.collection.contents import RootContents, claimed_folders, read_contents
from pipeline.collection.liveness import Dead, Policy, find_dead
from pipeline.config.plain_paths import plain_path
from pipeline.dag import lineage
from pipeline.dag.layout import Layout
from pipeline.runs import leftovers, metadata_file
from pipeline.runs import record as history
from trainer.errors import JobError


class Item(NamedTuple):
    """A file or folder that nothing needs.

    Attributes:
        kind: artifact, log, version, copy, checkpoint or leftover.
        path: Its path, relative to the root.
        reason: Why it is not needed.
        size: Bytes.
        artifacts: The ids of its artifacts in ML Metadata.
    """

    kind: str
    path: str
    reason: str
    size: int
    artifacts: tuple[int, ...] = ()


def collect(root: Path, policy: Policy) -> list[Item]:
    """Returns what is dead in a root that this process has locked.

    Raises:
        JobError: If the root or a record is invalid, or its metadata cannot be read.
    """
    records = history.read_all(root)
    layout = Layout(plain_path(root))
    connection = _connection(layout)
    found = read_contents(layout, connection, records)
    dead = find_dead(found.inventory, policy)
    items = [*_results(layout, found, dead), *_folders(layout, dead), *_logs(layout, dead)]
    for item in _leftovers(layout, connection):
        # A leftover may be inside something else that goes.
        known = {each.path for each in items}
        if not known.intersection({item.path, *map(PurePosixPath.as_posix, PurePosixPath(item.path).parents)}):
            items.append(item)
    return items


def delete(root: Path, items: Sequence[Item]) -> None:
    """Deletes items: first marks their artifacts in ML Metadata, so that no run takes half of one from the cache.

    Raises:
        OSError: If a file cannot be deleted.
    """
    layout = Layout(plain_path(root))
    ids = sorted({number for item in items for number in item.artifacts})
    if ids:
        store = metadata_store.MetadataStore(_connection(layout))
        artifacts = store.get_artifacts_by_id(ids)
        for artifact in artifacts:
            artifact.state = mlmd.Artifact.DELETED
        store.put_artifacts(artifacts)
    for item in items:
        path = Path(layout.root, item.path)
        if item.kind == "version":
            # A server must not load half a version; what is left under this name is a leftover.
            hidden = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
            path.rename(hidden)
            path = hidden
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _connection(layout: Layout) -> mlmd.ConnectionConfig:
    if Path(layout.identity).exists():
        raise JobError(
            "The root's metadata is in a store on a server.",
            where=str(layout.root),
            expected="a root with metadata: sqlite, the only kind whose results can be collected",
        )
    path = Path(layout.metadata)
    if not path.exists():
        fix = "without it nothing says what is needed: restore it, or delete the whole root"
        raise JobError("The root has no ML Metadata.", where=str(path), fix=fix)
    metadata_file.check(path)
    return lineage.sqlite(layout.metadata)


def _results(layout: Layout, found: RootContents, dead: Dead) -> Iterator[Item]:
    artifacts = Path(layout.artifacts)
    for number, reason in dead.results.items():
        marked = tuple(artifact.id for artifact in found.artifacts[number])
        folders = [artifacts / folder for folder in sorted(found.folders[number])]
        for index, folder in enumerate(folders or [artifacts]):
            if folder != artifacts:
                yield _item(layout, "artifact", folder, reason, marked if index == 0 else ())
        quarantine = Path(layout.quarantine) / str(number)
        if quarantine.exists():
            yield _item(layout, "artifact", quarantine, reason)


def _folders(layout: Layout, dead: Dead) -> Iterator[Item]:
    for version, reason in sorted(dead.versions.items()):
        yield _item(layout, "version", Path(layout.serving) / str(version), reason)
    for copy, reason in sorted(dead.copies.items()):
        yield _item(layout, "copy", Path(layout.root) / copy, reason)
    if dead.checkpoints is not None:
        for parent in (layout.checkpoints, layout.tuning):
            for folder in sorted(Path(parent).glob("*")):
                yield _item(layout, "checkpoint", folder, dead.checkpoints)


def _logs(layout: Layout, dead: Dead) -> Iterator[Item]:
    root = Path(layout.root)
    for run_id, reason in dead.runs.items():
        yield _item(layout, "log", history.run_dir(root, run_id), reason)
        pinned = Path(layout.inputs) / "pinned" / f"{run_id}.json"
        if pinned.exists():
            yield _item(layout, "log", pinned, reason)


def _leftovers(layout: Layout, connection: mlmd.ConnectionConfig) -> Iterator[Item]:
    for path in leftovers.find(layout, connection):
        yield _item(layout, "leftover", path, "left by a run that has ended")
    if Path(layout.temporary).exists():
        yield _item(layout, "leftover", Path(layout.temporary), "left by a run that was killed")
    for log in sorted(Path(layout.root).glob("logs/*")):
        if log.is_dir() and not (log / "run.json").exists():
            yield _item(layout, "leftover", log, "a log without a record")
    claimed, artifacts = claimed_folders(connection), Path(layout.artifacts)
    for folder in sorted(artifacts.glob("*/*/*")):
        inner = folder.relative_to(artifacts)
        if inner.parts[1] != ".system" and inner.as_posix() not in claimed:
            yield _item(layout, "leftover", folder, "no artifact has it")
    numbers = {folder.rpartition("/")[2] for folder in claimed}
    for folder in sorted(Path(layout.quarantine).glob("*")):
        if folder.name.isdecimal() and folder.name not in numbers:
            yield _item(layout, "leftover", folder, "no artifact has its examples")


def _item(layout: Layout, kind: str, path: Path, reason: str, artifacts: tuple[int, ...] = ()) -> Item:
    return Item(kind, path.relative_to(layout.root).as_posix(), reason, _size(path), artifacts)


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.lstat().st_size if os.path.lexists(path) else 0
    return sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(path) for name in names)
