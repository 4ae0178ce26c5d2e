"""What simple models reach: the most frequent class of the train split, and the linear model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.linear_baseline.labelled_texts import LabelledTexts, join, read_texts
from components.linear_baseline.linear_model import Probabilities, fit, losses
from trainer.data import kinds
from trainer.data.kinds import CorpusKind
from trainer.jobs import dotted
from trainer.jobs.counting import Counts

MAX_DOCUMENTS = 50_000
"""The most documents that the linear model is fitted on; of more, every n-th."""

_THRESHOLD = 0.5
"""The lowest probability of a predicted label, where a document has any number of them."""

Files = Mapping[str, Sequence[str]]
"""The files of raw SequenceExamples by split: train, eval and test."""


def measure(
    files: Files,
    documents: Mapping[str, int],
    kind: CorpusKind,
    classes: Sequence[str],
    figures: Mapping[str, str],
    limit: int = MAX_DOCUMENTS,
) -> dict[str, Any]:
    """Fits simple models on the train split and measures them on the test split.

    The most frequent class has the shares of the classes in the train split as its probabilities; of any number of
    labels, it is the most frequent set of labels.

    Args:
        files: The files.
        documents: The documents that they should have, by split.
        kind: The kind of corpus.
        classes: The names of the classes in order; empty: those of the train split, sorted.
        figures: The dotted path of each metric's function of counts, by the metric's name.
        limit: The most documents of the train split that are fitted on, and of the eval split that are chosen on.

    Returns:
        `documents`, the documents read by split, and the sections `most_frequent`, with its `labels` and `metrics`, and
        `linear`, with the `documents` it is fitted on of all `train_documents`, its `strength`, `terms` and `metrics`.
        Metrics without a value are left out.
    """
    train, given = _collect(files["train"], documents["train"], limit, kind)
    held_out, eval_given = _collect(files["eval"], documents["eval"], limit, kind)
    names = list(classes) or sorted({name for labels in given for name in labels})
    shares = _shares(given, names)
    labels = max(sorted(given), key=given.__getitem__) if kind.multi_label else (names[int(shares.argmax())],)
    model = fit(train, held_out, names, multi_label=kind.multi_label)
    simple, linear = (_Measurement(names, kind, figures) for _ in range(2))
    tested = 0
    for batch in read_texts(files["test"], kind):
        tested += len(batch.texts)
        constant = np.tile(np.isin(names, labels), [len(batch.texts), 1])
        simple.add(batch.labels, np.tile(shares, [len(batch.texts), 1]), constant)
        probabilities = model.predict(batch.texts)
        linear.add(batch.labels, probabilities, probabilities >= _THRESHOLD)
    return {
        "documents": {"train": given.total(), "eval": eval_given.total(), "test": tested},
        "most_frequent": {"labels": list(labels), "metrics": simple.metrics()},
        "linear": {
            "documents": len(train.texts),
            "train_documents": given.total(),
            "strength": model.strength,
            "terms": model.terms,
            "metrics": linear.metrics(),
        },
    }


def _collect(
    files: Sequence[str], documents: int, limit: int, kind: CorpusKind
) -> tuple[LabelledTexts, Counter[tuple[str, ...]]]:
    """Returns every n-th document of a split, at most `limit`, and counts the labels of all of them."""
    step = max(1, math.ceil(documents / limit))
    given: Counter[tuple[str, ...]] = Counter()
    parts = []
    for batch in read_texts(files, kind):
        parts.append(batch.every(step, -given.total() % step))
        given.update(batch.labels)
    return join(parts), given


def _shares(given: Counter[tuple[str, ...]], classes: Sequence[str]) -> NDArray[np.float64]:
    """Returns the share of the documents that have each class, float64 [classes]."""
    documents: Counter[str] = Counter()
    for labels, count in given.items():
        documents.update(dict.fromkeys(labels, count))
    return np.array([documents[name] for name in classes]) / given.total()


class _Measurement:
    """Counts the answers of a model as the Evaluator counts those of a served one."""

    def __init__(self, classes: Sequence[str], kind: CorpusKind, figures: Mapping[str, str]) -> None:
        self._classes, self._multi_label, self._figures = classes, kind.multi_label, figures
        self._names = np.array([name.encode() for name in classes], object)
        modules = {figure.partition(":")[0] for figure in figures.values()}
        self._counts: dict[str, Counts] = {module: dotted.load(f"{module}:COUNTS")() for module in modules}

    def add(
        self, labels: Sequence[tuple[str, ...]], probabilities: Probabilities, predicted: NDArray[np.bool_]
    ) -> None:
        """Counts documents from their labels, and the model's probabilities and labels, [documents, classes]."""
        found = losses(probabilities, labels, self._classes, multi_label=self._multi_label)
        for row, given in enumerate(labels):
            own = np.array([name.encode() for name in given], object)
            answer = {"labels": self._names, "probabilities": probabilities[row]}
            if self._multi_label:
                answer |= {"predicted": predicted[row], "given": own, "loss": found[row]}
            for counts in self._counts.values():
                counts.add_record(answer, {kinds.LABEL: own})

    def metrics(self) -> dict[str, float]:
        """Returns the metrics that have a value."""
        values = {name: self._value(figure) for name, figure in self._figures.items()}
        return {name: value for name, value in values.items() if not math.isnan(value)}

    def _value(self, figure: str) -> float:
        value: float = dotted.load(figure)(self._counts[figure.partition(":")[0]])
        return value
