"""The files and folders of a training."""

from __future__ import annotations

import dataclasses
import json

import tensorflow as tf

from trainer.data import tfrecords
from trainer.data.features import transform_settings
from trainer.data.kinds import CorpusKind, by_name
from trainer.settings import TransformSettings


@dataclasses.dataclass(frozen=True)
class TrainingJob:
    """One training.

    Attributes:
        train_files: TFRecord files of the train split.
        eval_files: TFRecord files of the eval split.
        transform_graph: The transform graph's directory.
        model_directory: Where the SavedModel goes.
        log_directory: Where TensorBoard's events and `training.json` go.
        checkpoints: A directory for exactly these data, settings and code.
    """

    train_files: list[str]
    eval_files: list[str]
    transform_graph: str
    model_directory: str
    log_directory: str
    checkpoints: str

    @property
    def transform_settings(self) -> TransformSettings:
        """What the transform graph was made with."""
        return transform_settings(self.transform_graph)

    @property
    def kind(self) -> CorpusKind:
        """The kind of the corpus that the transform graph was made for."""
        return by_name(json.loads(self.text("settings.json"))["kind"])

    @property
    def classes(self) -> list[str]:
        """The names of the classes in the order of their ids; empty for a kind without any."""
        file = self.kind.classes_file
        return self.text(file).splitlines() if file else []

    @property
    def graph(self) -> str:
        """The transform graph's SavedModel directory."""
        return f"{self.transform_graph}/transform_fn"

    def text(self, name: str) -> str:
        """Reads a file of the transform graph."""
        with tf.io.gfile.GFile(f"{self.transform_graph}/{name}") as file:
            text: str = file.read()
        return text

    def within(self, directory: str) -> TrainingJob:
        """Returns the same training with its logs and checkpoints in a directory."""
        return dataclasses.replace(self, log_directory=f"{directory}/logs", checkpoints=f"{directory}/checkpoints")


def files(patterns: list[str]) -> list[str]:
    """The files of splits; TFX gives a pattern for all that lies in a split's folder."""
    return tfrecords.find([pattern.removesuffix("/*") for pattern in patterns])
