"""The fingerprints of a published version: a hash of each of its files, and what it was made from."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from pydantic import ValidationError

from components.pusher.serving_history import HistoryEntry
from trainer.errors import JobError

FINGERPRINTS = "fingerprints.json"

_PACKAGES = ("seqloom", "tfx", "tensorflow", "tf-keras", "keras", "tensorflow-transform", "apache-beam", "numpy")
_CHUNK = 1 << 20


def write(folder: str, entry: HistoryEntry, origin: Mapping[str, Any]) -> None:
    """Writes the fingerprints of a complete version.

    Args:
        folder: The folder of the version.
        entry: How it is published.
        origin: What it was made from.
    """
    content = {
        "published": entry.model_dump(mode="json"),
        "origin": {**origin, **environment()},
        "files": hashes(folder),
    }
    with tf.io.gfile.GFile(f"{folder}/{FINGERPRINTS}", "w") as file:
        file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read(folder: str) -> dict[str, Any] | None:
    """Returns the fingerprints of a version; None if it has none that can be read."""
    try:
        with tf.io.gfile.GFile(f"{folder}/{FINGERPRINTS}") as file:
            content = json.loads(file.read())
        return content if isinstance(content, dict) and isinstance(content.get("files"), dict) else None
    except (tf.errors.OpError, ValueError):
        return None


def published(folder: str) -> HistoryEntry | None:
    """Returns how a version was published; None if its fingerprints do not tell."""
    try:
        return HistoryEntry.model_validate((read(folder) or {}).get("published"))
    except ValidationError:
        return None


def exist(folder: str) -> bool:
    """Returns whether a model has fingerprints: those published by earlier versions of seqloom have none."""
    return bool(tf.io.gfile.exists(f"{folder}/{FINGERPRINTS}"))


def hashes(folder: str) -> dict[str, str]:
    """Returns the SHA-256 of each file of a version by its path in the folder, in order."""
    return {name: _sha256(f"{folder}/{name}") for name in sorted(_files(folder)) if name != FINGERPRINTS}


def differences(folder: str) -> list[str]:
    """Returns how the files of a version differ from its fingerprints, a few words each; empty if they do not.

    Args:
        folder: The folder of a version that has fingerprints.
    """
    content = read(folder)
    if content is None:
        return [f"{FINGERPRINTS} cannot be read"]
    expected, present = content["files"], sorted(name for name in _files(folder) if name != FINGERPRINTS)
    changes = ((name, _change(f"{folder}/{name}", expected.get(name))) for name in present)
    return [
        *(f"{name} is missing" for name in expected if name not in present),
        *(f"{name} {change}" for name, change in changes if change),
    ]


def require_unchanged(folder: str) -> None:
    """Checks that the files of a model are those that were published; a model without fingerprints is not checked.

    Raises:
        JobError: If they differ.
    """
    if exist(folder) and (found := differences(folder)):
        raise JobError(
            "The model is not the one that was published.",
            where=folder,
            found="; ".join(found[:5]) + (f"; {len(found) - 5} more" if len(found) > 5 else ""),
            expected=f"the files of {FINGERPRINTS}",
            fix="go back to another version with `seqloom rollback`, or publish again with `seqloom run`",
        )


def environment() -> dict[str, Any]:
    """Returns the versions of the packages that compute, and a digest of those of all that are installed."""
    installed = {one.metadata["Name"].lower(): one.version for one in importlib.metadata.distributions()}
    lock = "\n".join(f"{name}=={version}" for name, version in sorted(installed.items()))
    packages = {name: installed[name] for name in _PACKAGES if name in installed}
    return {"packages": packages, "installed": hashlib.sha256(lock.encode()).hexdigest()}


def _files(folder: str) -> Iterator[str]:
    for place, _, names in tf.io.gfile.walk(folder):
        prefix = place[len(folder) :].strip("/")
        yield from (f"{prefix}/{name}" if prefix else name for name in names)


def _change(path: str, expected: str | None) -> str | None:
    """Returns what is wrong with a file, None if its hash is the expected one."""
    if expected is None:
        return "is new"
    try:
        return None if _sha256(path) == expected else "is changed"
    except tf.errors.OpError:
        return "cannot be read"


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with tf.io.gfile.GFile(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
