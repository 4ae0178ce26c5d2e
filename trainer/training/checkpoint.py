"""The state of a training run on disk: the last state, and the best model so far."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

Variables = Sequence["keras.Variable | tf.Variable"]


@dataclasses.dataclass
class TrainingState:
    """The progress of a run.

    Attributes:
        epoch: Epochs finished.
        best_epoch: The epoch with the lowest eval loss, from 1; 0 before the first.
        best_loss: That loss, in nats.
        history: Figures of each finished epoch.
        step: Steps taken.
        within: The progress in the current epoch; None at its start.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    step: int = 0
    within: dict[str, Any] | None = None


class Checkpoints:
    """Writes and restores the last and the best state in one directory."""

    def __init__(self, directory: str, model: Variables, more: Variables = (), *, writes: bool = True) -> None:
        """Prepares a directory for this run alone, on any file system that TensorFlow supports.

        Args:
            directory: The directory.
            model: Weights and states of random generators.
            more: Variables of a built optimizer and of a state carried from step to step.
            writes: Whether this process writes: of several workers one writes, and all restore.
        """
        self._state, self._writes = tf.Variable("", dtype=tf.string), writes
        weights = _values(model)
        last = tf.train.Checkpoint(model=weights, more=_values(more), state=self._state)
        best = tf.train.Checkpoint(model=weights)
        self._last = tf.train.CheckpointManager(last, f"{directory}/last", max_to_keep=1)
        self._best = tf.train.CheckpointManager(best, f"{directory}/best", max_to_keep=1)

    def save(self, state: TrainingState) -> None:
        """Writes the state and, after the best epoch so far, the model as the best one."""
        if not self._writes:
            return
        if state.within is None and state.best_epoch == state.epoch:
            self._best.save(checkpoint_number=state.epoch)
        self._state.assign(json.dumps(dataclasses.asdict(state)))
        self._last.save()

    def restore(self) -> TrainingState:
        """Restores the last state; returns a new one if none was saved."""
        if self._last.latest_checkpoint is None:
            return TrainingState()
        self._last.checkpoint.restore(self._last.latest_checkpoint).assert_consumed()
        values: dict[str, Any] = json.loads(self._state.numpy())
        return TrainingState(**values)

    def restore_best(self) -> None:
        """Restores the best epoch's weights in the process that writes; the others publish no model."""
        if not self._writes:
            return
        self._best.checkpoint.restore(self._best.latest_checkpoint).assert_existing_objects_matched()


def _values(variables: Variables) -> list[tf.Variable]:
    return [variable.value if isinstance(variable, keras.Variable) else variable for variable in variables]
