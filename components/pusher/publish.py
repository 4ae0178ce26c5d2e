"""Versions of a model in a serving directory in the layout of TensorFlow Serving."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
import uuid
from pathlib import PurePosixPath

import tensorflow as tf

_IDENTITY_FILE = "assets.extra/seqloom.json"
_MODEL_FILE = "saved_model.pb"
_NUMBER = re.compile(r"0|[1-9][0-9]*")

_logger = logging.getLogger("seqloom.pusher")


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


def publish(model: str, directory: str, keep: int) -> tuple[int, bool]:
    """Publishes a SavedModel as the newest version, unless the newest version is the same model.

    The version appears atomically: it is copied under another name and then renamed. A copy that fails, for example
    because the disk is full, is removed.

    Args:
        model: The SavedModel.
        directory: The serving directory.
        keep: The number of versions to keep; older ones are removed.

    Returns:
        The newest version, and whether this call published it.
    """
    published, numbers = versions(directory), _numbers(directory)
    for number in numbers:
        if number not in published:
            _logger.warning("%s/%s is no version: it has no %s; remove it.", directory, number, _MODEL_FILE)
    if published and identity(model) is not None and identity(f"{directory}/{published[-1]}") == identity(model):
        return published[-1], False
    version = max([int(time.time()), *(number + 1 for number in numbers[-1:])])
    partial = f"{directory}/.{version}-{uuid.uuid4().hex}"
    try:
        _copy(model, partial)
        tf.io.gfile.rename(partial, f"{directory}/{version}")
    except BaseException:
        # An error of the removal itself would hide the first one; the next run removes what is left.
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.rmtree(partial)
        raise
    for old in [*published, version][:-keep]:
        tf.io.gfile.rmtree(f"{directory}/{old}")
    return version, True


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
            tf.io.gfile.copy(f"{folder}/{name}", str(destination / name))
