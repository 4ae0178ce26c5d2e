"""A SavedModel of this project: which task made it, and how it is loaded."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from typing import Any

from trainer.errors import JobError

ABOUT = "assets.extra/seqloom.json"
"""The file of a SavedModel that names its task and holds a digest of all that decides its answers but the code."""


def made_by(directory: str) -> str | None:
    """Returns the name of the task that made a SavedModel; None: the model does not say."""
    with _quiet():
        import tensorflow as tf

    path = f"{directory}/{ABOUT}"
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        task: str | None = json.loads(file.read()).get("task")
    return task


def load(directory: str) -> Any:
    """Loads a SavedModel, without a word of TensorFlow's on the standard error.

    Args:
        directory: The folder of the SavedModel.

    Returns:
        What `tf.saved_model.load` returns. Its tables live only as long as it does.

    Raises:
        JobError: If it cannot be loaded.
    """
    with _quiet():
        import tensorflow as tf

        from trainer.text.normalization import register_operations

        register_operations()
        try:
            return tf.saved_model.load(directory)
        except (OSError, ValueError, tf.errors.OpError) as error:
            message = str(error).partition("\n")[0]
            raise JobError("The model cannot be loaded.", where=directory, found=message) from error


def shortest(number: object) -> float:
    """Returns a float32 as the shortest decimal that names it: 0.98, not 0.9800000190734863."""
    return float(str(number))


def text(value: bytes) -> str:
    """Decodes UTF-8, with replacement characters where it is none."""
    return value.decode("utf-8", "replace")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what TensorFlow's C++ code says while it starts off the screen; its failures come as exceptions."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
