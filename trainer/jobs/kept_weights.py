"""The trained weights beside a SavedModel, with what their rows stand for: a later training can start from them.

A SavedModel has them only in parts and in other forms: an encoder without a share is left out, vectors are composed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.lib import format as npy
from numpy.typing import NDArray

_INDEX, _VALUES = "index.json", "values.npy"


class WeightArray(NamedTuple):
    """The description of one array of weights.

    Attributes:
        name: Its name in the model.
        shape: Its shape.
        rows: The labels that its rows along `axis` stand for, by their key; empty: none.
        axis: The axis of the rows.
        ids: Whether its rows depend on the ids of all words, so that it suits no other vocabulary.
    """

    name: str
    shape: tuple[int, ...]
    rows: str = ""
    axis: int = 0
    ids: bool = False

    @property
    def fixed(self) -> tuple[int, ...]:
        """The shape without the axis of the rows."""
        axis = self.axis % len(self.shape) if self.rows else None
        return tuple(size for number, size in enumerate(self.shape) if number != axis)


class Weights(NamedTuple):
    """The weights of a model.

    Attributes:
        task: The task of the model.
        settings: The trainer section of its job.
        labels: Unique names of rows, such as words, by their key.
        parts: The arrays.
        variables: The variable of each part, or its value, float32. Variables have `numpy`, `assign` and `trainable`.
    """

    task: str
    settings: Mapping[str, Any]
    labels: Mapping[str, Sequence[str]]
    parts: Sequence[WeightArray]
    variables: Sequence[Any]


def value_of(variable: Any) -> NDArray[np.float32]:
    """Returns the value of a variable of TensorFlow or Keras, or an array itself."""
    inner = getattr(variable, "value", None)
    held = variable if inner is None or callable(inner) else inner  # A method of TensorFlow, a property of Keras.
    found: NDArray[np.float32] = np.asarray(held.numpy() if hasattr(held, "numpy") else held)
    return found


def write(directory: str, weights: Weights) -> None:
    """Writes weights to a directory of their own, on any file system that TensorFlow supports."""
    tf.io.gfile.makedirs(directory)
    with tf.io.gfile.GFile(f"{directory}/{_VALUES}", "wb") as file:
        for variable in weights.variables:
            npy.write_array(file, value_of(variable), allow_pickle=False)  # type: ignore[no-untyped-call, unused-ignore]
    described = {**weights._asdict(), "parts": [part._asdict() for part in weights.parts]}
    del described["variables"]
    with tf.io.gfile.GFile(f"{directory}/{_INDEX}", "w") as file:
        file.write(json.dumps(described))


def read(directory: str) -> Weights | None:
    """Reads what `write` has written; None if there is nothing.

    Raises:
        ValueError: If the files are damaged.
    """
    if not tf.io.gfile.exists(f"{directory}/{_INDEX}"):
        return None
    with tf.io.gfile.GFile(f"{directory}/{_INDEX}") as file:
        index = json.loads(file.read())
    try:
        parts = [WeightArray(**{**part, "shape": tuple(part["shape"])}) for part in index["parts"]]
        with tf.io.gfile.GFile(f"{directory}/{_VALUES}", "rb") as file:
            values = [npy.read_array(file, allow_pickle=False) for _ in parts]  # type: ignore[no-untyped-call, unused-ignore]
        found = Weights(index["task"], index["settings"], index["labels"], parts, values)
    except (KeyError, TypeError, tf.errors.OpError) as error:
        raise ValueError(str(error)) from error
    if [value.shape for value in values] != [part.shape for part in parts]:
        raise ValueError("values of other shapes than in the index")
    return found
