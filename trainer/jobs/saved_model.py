"""Loading SavedModels of this project, and which task made them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

from trainer.errors import JobError
from trainer.jobs.light_imports import import_tensorflow

ABOUT = "assets.extra/seqloom.json"
"""The file of a SavedModel with its task, its kind of corpus and a digest of what determines its answers, less code."""


def about(directory: str) -> dict[str, str]:
    """Returns the values in a SavedModel's file `ABOUT`; empty if it has none."""
    with quiet():
        import_tensorflow()
        import tensorflow as tf

    path = f"{directory}/{ABOUT}"
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        values: dict[str, str] = json.loads(file.read())
    return values


def made_by(directory: str) -> str | None:
    """Returns the name of the task that made a SavedModel; None if the model does not name it."""
    return about(directory).get("task")


def load(directory: str) -> Any:
    """Loads a SavedModel as `tf.saved_model.load` does, without TensorFlow's messages on stderr.

    The lookup tables of the model live only as long as the returned object.

    Raises:
        JobError: If it cannot be loaded.
    """
    with quiet():
        import_tensorflow()
        import tensorflow as tf

        from trainer.text.normalization import register_operations

        try:
            if _has_foreign_operations(directory):
                register_operations()
            return tf.saved_model.load(directory)
        except (OSError, ValueError, tf.errors.OpError) as error:
            message = str(error).partition("\n")[0]
            raise JobError("The model cannot be loaded.", where=directory, found=message) from error


def _has_foreign_operations(directory: str) -> bool:
    """Returns whether a SavedModel has operations of other libraries; False if it is missing or damaged."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    path = f"{directory}/saved_model.pb"
    if not tf.io.gfile.exists(path):
        return False
    with tf.io.gfile.GFile(path, "rb") as file:
        try:
            saved = saved_model_pb2.SavedModel.FromString(file.read())
        except DecodeError:
            return False
    names = {operation.name for graph in saved.meta_graphs for operation in graph.meta_info_def.stripped_op_list.op}
    return not all(hasattr(tf.raw_ops, name) for name in names)


def answer_texts(model: Any, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the answer of a loaded model's `serving_default` to each text: one row of every output."""
    return answer_rows(model, "serving_default", text=texts)


def answer_rows(model: Any, signature: str, **inputs: Sequence[str | bytes]) -> list[dict[str, Any]]:
    """Returns the answer of a signature of a loaded model to each of its inputs: one row of every output."""
    import tensorflow as tf

    found = model.signatures[signature](**{name: tf.constant(values) for name, values in inputs.items()})
    outputs = {name: value.numpy() for name, value in found.items()}
    (given,) = inputs.values()
    return [{name: values[row] for name, values in outputs.items()} for row in range(len(given))]


def shortest(number: object) -> float:
    """Returns a float32 as the shortest decimal that identifies it: 0.98, not 0.9800000190734863."""
    return float(str(number))


def text(value: bytes) -> str:
    """Decodes UTF-8; invalid bytes become replacement characters."""
    return value.decode("utf-8", "replace")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hides what imports and TensorFlow's C++ code print to stderr; their failures are exceptions."""
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
