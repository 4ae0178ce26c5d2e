"""The files and folders of a training run."""

from __future__ import annotations

import dataclasses
import json
import posixpath

import tensorflow as tf

from trainer.data import tfrecords
from trainer.data.features import transform_settings
from trainer.data.kinds import CorpusKind, by_name
from trainer.settings import TransformSettings
from trainer.training.pace import SplitSize


@dataclasses.dataclass(frozen=True)
class TrainingJob:
    """The input and output locations of one training run.

    Attributes:
        train_files: TFRecord files of the train split.
        eval_files: TFRecord files of the eval split.
        transform_graph: The transform graph's directory.
        model_directory: Output directory of the SavedModel.
        log_directory: Output directory of TensorBoard's events and `training.json`.
        checkpoints: A directory for exactly these data, settings and code.
        base: The weights of the model that a warm start begins with; empty: none.
    """

    train_files: list[str]
    eval_files: list[str]
    transform_graph: str
    model_directory: str = ""
    log_directory: str = ""
    checkpoints: str = ""
    base: str = ""

    @property
    def transform_settings(self) -> TransformSettings:
        """The settings of the transform graph."""
        return transform_settings(self.transform_graph)

    @property
    def kind(self) -> CorpusKind:
        """The kind of corpus of the transform graph."""
        return by_name(json.loads(self.text("settings.json"))["kind"])

    @property
    def classes(self) -> list[str]:
        """The names of the classes in the order of their ids; empty for a kind without classes."""
        file = self.kind.classes_file
        return self.text(file).splitlines() if file else []

    @property
    def weights(self) -> str:
        """The output directory of the trained weights, beside the SavedModel."""
        return weights_directory(self.model_directory)

    @property
    def ids(self) -> list[str]:
        """The word of each id, unique; a bucket of unknown words has a name that no word can have."""
        words, buckets = self.text("vocabulary.txt").split("\n")[:-1], self.transform_settings.oov_buckets
        return [*words, *(f"\nbucket {number} of {buckets}" for number in range(buckets))]

    def size(self, split: str = "train") -> SplitSize:
        """Returns the size of a split, `train` or `eval`."""
        found = json.loads(self.text("summary.json"))[split]
        return SplitSize(found["documents"], found["tokens"])

    @property
    def longest(self) -> int:
        """The number of tokens of the longest document."""
        summary = json.loads(self.text("summary.json"))
        longest: int = max(summary[split]["length"]["longest"] for split in ("train", "eval"))
        return longest

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
        """Returns the same job with its logs and checkpoints in a directory."""
        return dataclasses.replace(self, log_directory=f"{directory}/logs", checkpoints=f"{directory}/checkpoints")


def weights_directory(model_directory: str) -> str:
    """Returns the directory of the weights of a SavedModel."""
    return f"{posixpath.dirname(model_directory.rstrip('/'))}/weights"


def files(patterns: list[str]) -> list[str]:
    """Returns the files of splits, from the patterns that TFX gives: every file in a split's folder."""
    return tfrecords.find([pattern.removesuffix("/*") for pattern in patterns])
