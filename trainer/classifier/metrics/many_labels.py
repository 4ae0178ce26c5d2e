"""Metrics of classifiers with any number of labels per document.

The signature `judge` returns for each document `labels`, the names of all classes, string [batch, classes],
`predicted`, bool [batch, classes], `given`, its own labels, string [batch, max labels], padded with "", and `loss`,
float32 [batch]. Labels are compared by name, because class ids differ between models.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable
from fractions import Fraction

from trainer.jobs.counting import Arrays, Counts, Undefined, mean, share, unrounded


@dataclasses.dataclass
class LabelCounts(Counts):
    """Counts over documents.

    Attributes:
        documents: The documents.
        exact: Documents whose predicted labels are exactly their own.
        given: Documents by label; 0 for classes that no document has.
        predicted: Documents by predicted label.
        found: Documents by label that is both given and predicted.
    """

    documents: int = 0
    exact: int = 0
    given: Counter[str] = dataclasses.field(default_factory=Counter)
    predicted: Counter[str] = dataclasses.field(default_factory=Counter)
    found: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, classes: Iterable[str], given: Collection[str], predicted: Collection[str], loss: float) -> None:
        """Counts one document, with its own and its predicted labels; `classes` are those of the model."""
        self.documents += 1
        self.exact += set(given) == set(predicted)
        self.loss += unrounded(loss)
        self.given.update(dict.fromkeys(classes, 0))
        self.given.update(given)
        self.predicted.update(predicted)
        self.found.update(set(given) & set(predicted))

    def add_record(self, answer: Arrays, features: Arrays) -> None:
        """Counts a document from the outputs of the signature `judge`."""
        del features
        classes = [name.decode() for name in answer["labels"].flat]
        predicted = [name for name, chosen in zip(classes, answer["predicted"].flat, strict=True) if chosen]
        given = [name.decode() for name in answer["given"].flat if name]
        self.add(classes, given, predicted, float(answer["loss"].item()))


COUNTS = LabelCounts


def exact_match(counts: LabelCounts) -> float:
    """Returns the share of documents whose predicted labels are exactly their own."""
    return mean(counts.exact, counts.documents)


def mean_loss(counts: LabelCounts) -> float:
    """Returns the mean loss of the documents."""
    return mean(counts.loss, counts.documents)


def micro_precision(counts: LabelCounts) -> float:
    """Returns the share of predicted labels that are right; undefined without any."""
    return share(counts.found.total(), counts.predicted.total(), "predicted label")


def micro_recall(counts: LabelCounts) -> float:
    """Returns the share of the documents' labels that are predicted; undefined without any."""
    return share(counts.found.total(), counts.given.total(), "label")


def micro_f1(counts: LabelCounts) -> float:
    """Returns the harmonic mean of micro precision and recall; undefined without any label, predicted or not."""
    return share(2 * counts.found.total(), counts.given.total() + counts.predicted.total(), "label")


def macro_f1(counts: LabelCounts) -> float:
    """Returns the mean F1 of the classes that documents have or the model predicts; undefined without any."""
    pairs = [(counts.found[name], counts.given[name] + counts.predicted[name]) for name in counts.given]
    found = [Fraction(2 * right, both) for right, both in pairs if both]
    return float(sum(found) / len(found)) if found else Undefined("has no label")
