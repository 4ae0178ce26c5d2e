"""The state that a model carries from step to step, on the device."""

from __future__ import annotations

import tensorflow as tf

from trainer.errors import JobError
from trainer.training.objective import State


class CarriedState:
    """A nest of tensors in variables.

    Raises:
        JobError: If a non-empty state is shared by several devices: the rows of a batch would change devices.
    """

    def __init__(self, initial: State) -> None:
        self._initial = initial
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if tf.nest.flatten(initial) and replicas > 1:
            raise JobError(
                "A model that carries a state cannot train on several devices.",
                where="trainer.strategy",
                found=f"{replicas} devices",
                expected="one_device",
            )
        self.variables = [tf.Variable(value, trainable=False) for value in tf.nest.flatten(initial)]

    def reset(self) -> None:
        """Returns to the initial state."""
        self.write(self._initial)

    def read(self) -> State:
        """Returns the state; works in graphs too."""
        return tf.nest.pack_sequence_as(self._initial, [variable.value() for variable in self.variables])

    def write(self, state: State) -> None:
        """Replaces the state; works in graphs too."""
        tf.nest.assert_same_structure(self._initial, state)
        for variable, value in zip(self.variables, tf.nest.flatten(state), strict=True):
            variable.assign(value)
