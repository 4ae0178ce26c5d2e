"""What all published models of documents have in common."""

from __future__ import annotations

import abc
import hashlib
import json
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from trainer.text.normalization import register_operations


class ModelServable(tf.Module):
    """A model together with the transform graph that made its data; a task adds its signatures."""

    def __init__(self, model: keras.Model, transform_graph: str, classes: Sequence[str]) -> None:
        """Joins the parts.

        Args:
            model: From tokens and lengths to logits.
            transform_graph: The transform graph's SavedModel directory.
            classes: Names of the classes or tags in the order of their ids.
        """
        super().__init__(name="servable")
        self._model = model
        # Recurrent dropout draws from generators that the model does not show to TensorFlow.
        self._state = [variable.value for variable in model.variables]
        register_operations()
        self._transform = tf.saved_model.load(transform_graph)
        self._classes = tf.constant(list(classes))

    @abc.abstractmethod
    def signatures(self) -> Mapping[str, tf.types.experimental.GenericFunction]:
        """Returns the signatures of the SavedModel by name."""

    def save(self, directory: str) -> None:
        """Writes the SavedModel."""
        tf.saved_model.save(self, directory, self.signatures())

    def digest(self, directory: str, transform_settings: str) -> str:
        """Returns a digest, in hexadecimal digits, of all that decides the answers except the code.

        Args:
            directory: Where the SavedModel was written, for its assets.
            transform_settings: What the transform graph was made with.
        """
        digest = hashlib.sha256(json.dumps([self._model.to_json(), transform_settings]).encode())
        for variable in self._model.variables:
            digest.update(variable.numpy().tobytes())
        for path in sorted(tf.io.gfile.glob(f"{directory}/assets/*")):
            with tf.io.gfile.GFile(path, "rb") as file:
                digest.update(file.read())
        return digest.hexdigest()
