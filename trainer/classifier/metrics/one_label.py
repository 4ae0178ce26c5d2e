"""Metrics of classifiers with one label per document.

The signature `serve_examples` returns for each document `labels`, the names of all classes, string [batch, classes],
and `probabilities`, float32 [batch, classes]. Labels are compared by name, because class ids differ between models.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

from trainer.data.kinds import LABEL
from trainer.jobs.counting import MIN_PROBABILITY, Arrays, Counts, Undefined, mean, unrounded

_STEPS = 9_999
"""The probabilities of a class are ranked in this many steps, as TensorFlow Model Analysis does."""


@dataclasses.dataclass
class ClassCounts(Counts):
    """Counts over documents.

    Attributes:
        documents: The documents.
        correct: Documents whose most likely class is their own.
        own: Documents by their class; 0 for classes that no document has.
        ranked: Documents by the class, the step of its probability, and whether it is theirs. Of two classes only the
            second is ranked.
    """

    FEATURES: ClassVar[tuple[str, ...]] = (LABEL,)

    documents: int = 0
    correct: int = 0
    own: Counter[str] = dataclasses.field(default_factory=Counter)
    ranked: Counter[tuple[str, int, bool]] = dataclasses.field(default_factory=Counter)

    def add(self, label: str, classes: Sequence[str], probabilities: Sequence[float]) -> None:
        """Counts one document, with its label and the probabilities of the model's classes."""
        best = max(range(len(classes)), key=probabilities.__getitem__)
        self.documents += 1
        self.correct += classes[best] == label
        probability = dict(zip(classes, probabilities, strict=True)).get(label, 0.0)
        # A plain maximum would hide a probability that is not a number.
        self.loss += unrounded(-math.log(MIN_PROBABILITY if probability < MIN_PROBABILITY else probability))
        self.own.update(dict.fromkeys(classes, 0))
        self.own[label] += 1
        for name, value in list(zip(classes, probabilities, strict=True))[1 if len(classes) == 2 else 0 :]:
            self.ranked[name, math.ceil(value * _STEPS) if math.isfinite(value) else -1, name == label] += 1

    def add_record(self, answer: Arrays, features: Arrays) -> None:
        """Counts a document from the outputs of the signature and its label."""
        classes = [name.decode() for name in answer["labels"].flat]
        self.add(features[LABEL].item().decode(), classes, answer["probabilities"].ravel().tolist())


COUNTS = ClassCounts


def accuracy(counts: ClassCounts) -> float:
    """Returns the share of documents whose most likely class is their own."""
    return mean(counts.correct, counts.documents)


def mean_loss(counts: ClassCounts) -> float:
    """Returns the mean loss of the documents."""
    return mean(counts.loss, counts.documents)


def auc(counts: ClassCounts) -> float:
    """Returns the lowest area under the ROC curve of a class against the rest; of two classes, the second's."""
    absent = sorted(name for name, documents in counts.own.items() if not documents)
    if absent:
        return Undefined(f"has no document of {', '.join(absent[:5])}{', ...' if len(absent) > 5 else ''}")
    steps: defaultdict[str, dict[int, list[int]]] = defaultdict(dict)
    for (name, step, own), documents in counts.ranked.items():
        steps[name].setdefault(step, [0, 0])[own] = documents
    return float(min(map(_area, steps.values()))) if steps else math.nan


def _area(steps: Mapping[int, Sequence[int]]) -> Fraction:
    """Returns the share of pairs of an own and another document in which the own one ranks higher; ties are halves.

    Args:
        steps: The numbers of other and of own documents by the step of their probability.
    """
    others = owns = pairs = 0
    for _, (other, own) in sorted(steps.items()):
        pairs += own * (2 * others + other)
        others, owns = others + other, owns + own
    return Fraction(pairs, 2 * others * owns)
