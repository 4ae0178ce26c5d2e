"""Every task of the registry on every kind of corpus that it takes, with a small job and documents for each."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.config.job import Job
from pipeline.tasks.registry import TASKS
from pipeline.tasks.task import Task
from tests import processes
from trainer.data.kinds import KINDS, CorpusKind
from trainer.jobs import dotted
from trainer.jobs.training_job import TrainingJob

CLASSES = {"labels": ("negative", "positive"), "tags": ("O", "B-LOC", "I-LOC")}
NAMES = {f"c{number}": name for number, name in enumerate(CLASSES["labels"])}
CORPORA: dict[str, dict[str, Any]] = {
    "text": {"format": "text"},
    "labelled_text": {"format": "csv", "label": "label", "labels": NAMES},
    "multi_labelled_text": {"format": "jsonl", "label": "labels", "multi_label": True, "labels": NAMES},
    "tagged_text": {"format": "conll", "tags": list(CLASSES["tags"])},
}
"""The corpus section of a job for each kind of corpus."""

SMALL = {"epochs": 2, "batch_tokens": 128, "step_tokens": 16, "checkpoint_steps": 2, "subsample": None, "seed": 5}
"""Settings for small trainings of several steps; a task takes those that it has."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A task on a kind of corpus.

    Attributes:
        task: The task.
        kind: The kind of corpus.
        job: A job of both.
    """

    task: Task[Any]
    kind: CorpusKind
    job: Job

    def __str__(self) -> str:
        return f"{self.task.name}-{self.kind.name}"


def cases() -> list[Case]:
    """All tasks with all kinds of corpora that they take."""
    found = []
    for task in TASKS.values():
        for kind in KINDS.values():
            transform = {"tokenizer": "whitespace", "min_count": 1} if kind.tokenized else {"min_count": 1}
            values = {"name": "a", "task": task.name, "transform": transform}
            values["corpus"] = {"path": "x", **CORPORA[kind.name]}
            fields = task.job.model_fields["trainer"].annotation.model_fields
            values["trainer"] = {name: value for name, value in SMALL.items() if name in fields}
            try:
                job = task.job.model_validate(values)
            except ValidationError:
                continue
            assert job.corpus.kind == kind
            found.append(Case(task, kind, job))
    return found


CASES = cases()
_WITHOUT_TARGETS = {case.task.name for case in CASES if case.kind.target is None}
TRAINED = [
    case
    for case in CASES
    if case.task.training(case.job) and (case.kind.target is None or case.task.name not in _WITHOUT_TARGETS)
]
"""The cases that train; a task that takes plain text ignores the targets of other kinds."""


def documents(kind: CorpusKind, split: str, count: int, first: int = 0) -> list[Any]:
    """Documents whose words give their labels and tags away; the number of the first of their 20 other words."""
    from components.corpus_example_gen.documents import Document

    draw = random.Random(f"{kind.name} {split}")
    found = []
    for number in range(count):
        words = draw.choices([f"w{n}" for n in range(first, first + 20)], k=draw.randrange(3, 30))
        labels = tuple(name for name in CLASSES["labels"] if draw.random() < 0.5)
        given: dict[str, Any] = {}
        if kind.tokenized:
            pairs = [(word, "O") for word in words] + [("in", "O"), ("Nice", "B-LOC"), ("Bay", "I-LOC")]
            given = dict(zip(("tokens", "tags"), zip(*pairs, strict=True), strict=True))
        elif kind.multi_label:
            given = {"labels": labels}
        label = draw.choice(CLASSES["labels"]) if kind.target == "label" else None
        text = " ".join([*words, *(labels if kind.multi_label else ()), *([label] if label else ())])
        segments = () if kind.tokenized else (text,)
        found.append(Document(segments, label, draw.choice("ab"), f"{split}-{number}", number + 1, **given))
    return found


@dataclasses.dataclass(frozen=True)
class Published:
    """A case with its corpus and the model that its training made.

    Attributes:
        case: The case.
        corpus: Its corpus at every stage.
        folder: Where the training was done.
    """

    case: Case
    corpus: Any
    folder: Path

    @property
    def model(self) -> Path:
        """The folder of the SavedModel."""
        return self.folder / "model"


def places(corpus: Any, folder: Path) -> dict[str, Any]:
    """The fields of a TrainingJob in a folder."""
    names = {"model_directory": "model", "log_directory": "logs", "checkpoints": "checkpoints"}
    return {
        "train_files": corpus.transformed["train"],
        "eval_files": corpus.transformed["eval"],
        "transform_graph": str(corpus.graph),
        **{field: str(folder / name) for field, name in names.items()},
    }


def train(place: str, section: str, fields: dict[str, Any], killed_after: float | None = None) -> None:
    """Trains in this process with the settings of a section in JSON, to the end or to a share of the second epoch."""
    if killed_after is not None:
        processes.kill_when(
            lambda found: found.values["epoch"] == 2 and killed_after * found.total < found.done < found.total
        )
    task = dotted.load(place)
    task.run(TrainingJob(**fields), task.settings.model_validate_json(section))


def outcome(folder: Path) -> tuple[str, list[dict[str, float]]]:
    """The digest of the model in a folder, and its training's figures without those of time."""
    digest = json.loads((folder / "model" / "assets.extra" / "seqloom.json").read_text())["digest"]
    history = json.loads((folder / "logs" / "training.json").read_text())["history"]
    timed = ("seconds", "_per_second", "input_wait")
    return digest, [{n: v for n, v in figures.items() if not n.endswith(timed)} for figures in history]
