"""The registry of tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trainer.classifier import model as classifier
from trainer.classifier import multi_label
from trainer.classifier.multi_label_servable import MultiLabelServable
from trainer.classifier.multi_label_task import MultiLabelClassifier
from trainer.classifier.servable import ClassifierServable
from trainer.classifier.settings import ClassifierSettings
from trainer.jobs.job import TrainingJob
from trainer.supervised import samples
from trainer.supervised.supervised import Supervised
from trainer.tagger import model as tagger
from trainer.tagger.servable import TaggerServable
from trainer.tagger.settings import TaggerSettings
from trainer.word2vec import training

Train = Callable[[TrainingJob], None]
"""Trains, and writes the SavedModel, TensorBoard's events and `training.json`."""

TASKS: Mapping[str, Train] = {
    "classifier": Supervised(
        ClassifierSettings,
        classifier.TARGETS,
        classifier.build,
        classifier.objective,
        ClassifierServable,
        counts=classifier.counts,
    ),
    "multi_label_classifier": MultiLabelClassifier(
        ClassifierSettings,
        multi_label.TARGETS,
        classifier.build,
        multi_label.objective,
        MultiLabelServable,
        describe=samples.describe_labels,
    ),
    "tagger": Supervised(
        TaggerSettings, tagger.TARGETS, tagger.build, tagger.objective, TaggerServable, classes="tags.txt"
    ),
    "word2vec": training.run,
}
"""Tasks by the name that the configuration's `trained_task` gives."""


def supervised(name: str) -> Supervised[Any]:
    """The task of a name, which has targets.

    Raises:
        TypeError: If it has none.
    """
    task = TASKS[name]
    if not isinstance(task, Supervised):
        raise TypeError(f"the task {name} has no targets")
    return task
