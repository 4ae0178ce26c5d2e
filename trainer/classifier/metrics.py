"""Metrics of classifiers with any number of labels per document.

The signature `judge` returns for each document `labels`, the names of all classes, string [batch, classes],
`predicted`, bool [batch, classes], `given`, its own labels, string [batch, most labels], padded with "", and `loss`,
float32 [batch]. Labels are compared by name, because the ids of one model's classes mean nothing to another.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Collection, Iterable

from trainer.jobs.counting import Arrays, Counts, share, unrounded


@dataclasses.dataclass
class LabelCounts(Counts):
    """What documents add up to.

    Attributes:
        documents: Documents.
        exact: Those with exactly the labels that are given.
        given: Documents that have a label, by label; 0 of a class that none has.
        predicted: Documents to which the model gives it.
        found: Documents that are both.
    """

    documents: int = 0
    exact: int = 0
    given: Counter[str] = dataclasses.field(default_factory=Counter)
    predicted: Counter[str] = dataclasses.field(default_factory=Counter)
    found: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, classes: Iterable[str], given: Collection[str], predicted: Collection[str], loss: float) -> None:
        """Counts one document.

        Args:
            classes: All classes of the model.
            given: The document's labels.
            predicted: Those that the model gives it.
            loss: Its loss.
        """
        self.documents += 1
        self.exact += set(given) == set(predicted)
        self.loss += unrounded(loss)
        self.given.update(dict.fromkeys(classes, 0))
        self.given.update(given)
        self.predicted.update(predicted)
        self.found.update(set(given) & set(predicted))

    def add_record(self, answer: Arrays, features: Arrays) -> None:
        """Counts what the signature `judge` returns for a document."""
        del features
        classes = [name.decode() for name in answer["labels"].flat]
        predicted = [name for name, chosen in zip(classes, answer["predicted"].flat, strict=True) if chosen]
        given = [name.decode() for name in answer["given"].flat if name]
        self.add(classes, given, predicted, float(answer["loss"].item()))


COUNTS = LabelCounts


def exact_match(counts: LabelCounts) -> float:
    """Returns the share of the documents with exactly the labels that are given."""
    return counts.exact / counts.documents if counts.documents else math.nan


def mean_loss(counts: LabelCounts) -> float:
    """Returns the mean loss of the documents."""
    return float(counts.loss / counts.documents) if counts.documents else math.nan


def micro_precision(counts: LabelCounts) -> float:
    """Returns the share of the predicted labels that are given; 0 where there are none, as of all that follow."""
    return share(counts.found.total(), counts.predicted.total())


def micro_recall(counts: LabelCounts) -> float:
    """Returns the share of the given labels that the model finds."""
    return share(counts.found.total(), counts.given.total())


def micro_f1(counts: LabelCounts) -> float:
    """Returns the harmonic mean of micro precision and recall."""
    return share(2 * counts.found.total(), counts.given.total() + counts.predicted.total())


def macro_f1(counts: LabelCounts) -> float:
    """Returns the mean of the F1 of the classes, those included that no document has."""
    found = [share(2 * counts.found[name], counts.given[name] + counts.predicted[name]) for name in counts.given]
    return math.fsum(found) / len(found) if found else math.nan
