"""The registry of tasks: what the trainer needs to know of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import keras

from trainer import classifier
from trainer.export import Servable
from trainer.loop import Loss
from trainer.settings import TrainerSettings


@dataclasses.dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        build: From settings, vocabulary size and number of classes to a model from `tokens` and
            `length` to logits.
        loss: From labels and logits to the loss of each document.
        servable: From the model, the transform graph's directory and the class names to what is saved.
    """

    build: Callable[[TrainerSettings, int, int], keras.Model]
    loss: Loss
    servable: Callable[[keras.Model, str, list[str]], Servable]


TASKS: Mapping[str, Task] = {
    "classifier": Task(classifier.build, classifier.loss, Servable),
}
"""Tasks by the name that the configuration's `task` gives."""
