"""The base class of published models of documents."""

from __future__ import annotations

import abc
import hashlib
import json
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from trainer.jobs import progress
from trainer.text.normalization import register_operations

TEXT_INPUT = [tf.TensorSpec([None], tf.string, name="text")]
EXAMPLES_INPUT = [tf.TensorSpec([None], tf.string, name="examples")]
"""The arguments of signatures."""


class ModelServable(tf.Module):
    """A model together with the transform graph that made its data; a task adds its signatures."""

    def __init__(self, model: keras.Model, transform_graph: str, classes: Sequence[str]) -> None:
        """Joins a model from tokens and lengths to logits, the transform graph and the class names by id."""
        super().__init__(name="servable")
        self._model = model
        # TensorFlow does not track the generators of recurrent dropout through the model.
        self._state = [variable.value for variable in model.variables]
        register_operations()
        self._transform = tf.saved_model.load(transform_graph)
        self._classes = tf.constant(list(classes))

    @abc.abstractmethod
    def signatures(self) -> Mapping[str, tf.types.experimental.GenericFunction]:
        """Returns the signatures of the SavedModel by name."""

    def save(self, directory: str) -> None:
        """Writes the SavedModel."""
        progress.working("export")
        tf.saved_model.save(self, directory, self.signatures())

    def digest(self, directory: str, transform_settings: str) -> str:
        """Returns a hexadecimal digest of everything that determines the answers except the code.

        It includes the assets of the SavedModel in the directory, and the settings of the transform graph.
        """
        digest = hashlib.sha256(json.dumps([self._model.to_json(), transform_settings]).encode())
        for variable in self._model.variables:
            digest.update(variable.numpy().tobytes())
        for path in sorted(tf.io.gfile.glob(f"{directory}/assets/*")):
            with tf.io.gfile.GFile(path, "rb") as file:
                digest.update(file.read())
        return digest.hexdigest()
