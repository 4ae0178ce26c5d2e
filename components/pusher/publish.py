"""Versions of a model in a serving directory in the layout of TensorFlow Serving."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import re
import time
import uuid
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import tensorflow as tf

from components.pusher import serving_history
from components.pusher import version_fingerprints as fingerprints
from components.pusher.serving_history import HistoryEntry
from components.pusher.serving_lock import locked

_IDENTITY_FILE = "assets.extra/seqloom.json"
_MODEL_FILE = "saved_model.pb"
_NUMBER = re.compile(r"0|[1-9][0-9]*")

_logger = logging.getLogger("seqloom.pusher")


class Published(NamedTuple):
    """What a request to publish a model came to.

    Attributes:
        version: The newest version.
        new: Whether the request made it.
        withdrawn: The rollback that replaced the model before, which is why it is not published again.
    """

    version: int
    new: bool
    withdrawn: HistoryEntry | None = None


def versions(directory: str) -> list[int]:
    """Returns the published versions, oldest first: the numbered folders that hold a model."""
    numbers = _numbers(directory)
    return [number for number in numbers if tf.io.gfile.exists(f"{directory}/{number}/{_MODEL_FILE}")]


def identity(model: str) -> dict[str, str] | None:
    """Returns the task and the digest that the trainer stores in a SavedModel, or None."""
    path = f"{model}/{_IDENTITY_FILE}"
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        value: dict[str, str] = json.loads(file.read())
    return value


def history(directory: str) -> list[HistoryEntry]:
    """Returns the history of a serving directory, oldest first, with what a killed process could not add to it."""
    entries = serving_history.read(directory)
    known = {entry.version for entry in entries}
    found = (fingerprints.published(f"{directory}/{number}") for number in versions(directory) if number not in known)
    return sorted([*entries, *filter(None, found)], key=lambda entry: entry.version)


def publish(
    model: str, directory: str, keep: int, run: str | None = None, origin: Mapping[str, Any] = MappingProxyType({})
) -> Published:
    """Publishes a SavedModel as the newest version, unless the newest version is the same model, or it was rolled back.

    Args:
        model: The SavedModel.
        directory: The serving directory.
        keep: The number of versions to keep; older ones are removed.
        run: The run that publishes.
        origin: What the model was made from.
    """
    with locked(directory):
        numbers, published = _numbers(directory), versions(directory)
        for number in numbers:
            if number not in published:
                _logger.warning("%s/%s is no version: it has no %s; remove it.", directory, number, _MODEL_FILE)
        own = identity(model)
        if published and own is not None:
            if identity(f"{directory}/{published[-1]}") == own:
                return Published(published[-1], new=False)
            rollback = serving_history.withdrawn(history(directory)).get(serving_history.key_of(own))
            if rollback is not None:
                return Published(published[-1], new=False, withdrawn=rollback)
        entry = _entry(directory, "push", own, run=run)
        _add(model, directory, entry, origin)
        for old in [*published, entry.version][:-keep]:
            tf.io.gfile.rmtree(f"{directory}/{old}")
    return Published(entry.version, new=True)


def restore(directory: str, source: int, why: str, user: str) -> HistoryEntry:
    """Publishes an earlier version again as the newest one, since servers load the highest; removes none.

    Args:
        directory: The serving directory.
        source: The version.
        why: The reason.
        user: Who wants it.

    Returns:
        The entry of the history.
    """
    with locked(directory):
        folder = f"{directory}/{source}"
        before, content = fingerprints.published(folder), fingerprints.read(folder) or {}
        run = None if before is None else before.run
        entry = _entry(directory, "rollback", identity(folder), run=run, source=source, why=why, user=user)
        _add(folder, directory, entry, content.get("origin", {}))
    return entry


def _entry(
    directory: str, action: Literal["push", "rollback"], model: dict[str, str] | None, **values: Any
) -> HistoryEntry:
    numbers, published = _numbers(directory), versions(directory)
    previous = published[-1] if published else None
    return HistoryEntry(
        time=datetime.datetime.now(datetime.timezone.utc),
        action=action,
        version=max([int(time.time()), *(number + 1 for number in numbers[-1:])]),
        model=model,
        previous=previous,
        previous_model=None if previous is None else identity(f"{directory}/{previous}"),
        **values,
    )


def _add(model: str, directory: str, entry: HistoryEntry, origin: Mapping[str, Any]) -> None:
    """Adds a version and its entry in the history.

    The version appears atomically: it is copied under another name and then renamed. A copy that fails, for example
    because the disk is full, is removed.
    """
    partial = f"{directory}/.{entry.version}-{uuid.uuid4().hex}"
    try:
        _copy(model, partial)
        fingerprints.write(partial, entry, origin)
        tf.io.gfile.rename(partial, f"{directory}/{entry.version}")
    except BaseException:
        # An error of the removal itself would hide the first one; the next run removes what is left.
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.rmtree(partial)
        raise
    serving_history.write(directory, history(directory))


def _numbers(directory: str) -> list[int]:
    """Returns the names in a serving directory that TensorFlow Serving takes for versions, in order."""
    if not tf.io.gfile.isdir(directory):
        return []
    names = (name.rstrip("/") for name in tf.io.gfile.listdir(directory))
    return sorted(int(name) for name in names if _NUMBER.fullmatch(name))


def _copy(source: str, target: str) -> None:
    for folder, _, names in tf.io.gfile.walk(source):
        destination = PurePosixPath(target) / PurePosixPath(folder).relative_to(source)
        tf.io.gfile.makedirs(str(destination))
        for name in names:
            if folder != source or name != fingerprints.FINGERPRINTS:
                tf.io.gfile.copy(f"{folder}/{name}", str(destination / name))
