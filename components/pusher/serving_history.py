"""The history of a serving directory: which version was published when, from where and why."""

from __future__ import annotations

import contextlib
import datetime
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Literal

import tensorflow as tf
from pydantic import BaseModel, ConfigDict, ValidationError

HISTORY = "history.jsonl"


class HistoryEntry(BaseModel):
    """What made a version the newest one.

    Attributes:
        time: When, in UTC.
        action: A push of a run, or a rollback.
        version: The new version.
        model: The identity of its model; None if the model has none.
        previous: The version that was the newest before, and `previous_model` its identity.
        run: The run that pushed it; for a rollback the run of the model.
        source: The version that a rollback copied.
        why: The reason of a rollback.
        user: Who rolled back.
    """

    model_config = ConfigDict(frozen=True)

    time: datetime.datetime
    action: Literal["push", "rollback"]
    version: int
    model: dict[str, str] | None = None
    previous: int | None = None
    previous_model: dict[str, str] | None = None
    run: str | None = None
    source: int | None = None
    why: str | None = None
    user: str | None = None


def write(directory: str, entries: Sequence[HistoryEntry]) -> None:
    """Writes the entries of a directory atomically; the caller holds its lock."""
    lines = "".join(f"{entry.model_dump_json(exclude_none=True)}\n" for entry in entries)
    partial = f"{directory}/.{HISTORY}-{uuid.uuid4().hex}"
    try:
        with tf.io.gfile.GFile(partial, "w") as file:
            file.write(lines)
        tf.io.gfile.rename(partial, f"{directory}/{HISTORY}", overwrite=True)
    except BaseException:
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.remove(partial)
        raise


def read(directory: str) -> list[HistoryEntry]:
    """Returns the entries of a directory, oldest first; lines that are none are left out."""
    path = f"{directory}/{HISTORY}"
    if not tf.io.gfile.exists(path):
        return []
    with tf.io.gfile.GFile(path) as file:
        return list(_entries(file.read().splitlines()))


def _entries(lines: Sequence[str]) -> Iterator[HistoryEntry]:
    for line in lines:
        with contextlib.suppress(ValidationError):
            yield HistoryEntry.model_validate_json(line)


def withdrawn(entries: Sequence[HistoryEntry]) -> dict[str, HistoryEntry]:
    """Returns the models that a rollback replaced and that none has brought back, with their rollback.

    The keys are those of `key_of`.
    """
    found: dict[str, HistoryEntry] = {}
    for entry in entries:
        if entry.action == "rollback" and entry.previous_model is not None:
            found[key_of(entry.previous_model)] = entry
        if entry.model is not None:
            found.pop(key_of(entry.model), None)
    return found


def key_of(model: dict[str, str]) -> str:
    """Returns a text that is equal for equal identities of models."""
    return json.dumps(model, sort_keys=True)
