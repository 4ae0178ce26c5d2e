"""The linear model: TF-IDF of words and pairs of words, and logistic regression.

scikit-learn is imported in the functions that need it, because the pipeline's declaration does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.linear_baseline.labelled_texts import LabelledTexts
from trainer.jobs import progress
from trainer.jobs.counting import MIN_PROBABILITY
from trainer.text.unspaced import UNSPACED

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Probabilities = NDArray[np.float64]
"""Probabilities by document and class, float64 [documents, classes]."""

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""The values of C, the inverse strength of regularization, that are tried in order, until the loss rises."""

_DEFAULT_STRENGTH = 1.0
"""The value of C without eval documents, scikit-learn's own."""

_MAX_WEIGHTS = 5_000_000
"""The most weights that are fitted together: 40 MB, of which the optimizer keeps some twenty copies."""

# Combining marks, which Python's \w leaves out: accents, points of Hebrew and Arabic, vowels of Indian scripts.
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0903\u093a-\u094f"
    "\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a03\u0a3c-\u0a4d\u0a81-\u0a83\u0abc-\u0acd"
    "\u0b01-\u0b03\u0b3c-\u0b4d\u0b82\u0bbe-\u0bcd\u0c00-\u0c04\u0c3c-\u0c4d\u0c81-\u0c83\u0cbc-\u0ccd\u0d00-\u0d03"
    "\u0d3b-\u0d4d\u0d81-\u0d83\u0dca-\u0ddf\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
_SYMBOLS = "\u2190-\u2bff\U0001f000-\U0001faff"

WORDS = rf"[^\W{UNSPACED}]+(?:[{_MARKS}]+[^\W{UNSPACED}]*)*|[{UNSPACED}]|[{_SYMBOLS}]"
"""A run of letters, digits and marks; a single character of a script without spaces; a symbol such as an emoji."""

_Predict = Callable[["csr_matrix"], Probabilities]


class LinearModel(NamedTuple):
    """A fitted linear model.

    Attributes:
        predict: Returns the probabilities of texts; of one label they sum to 1, of any number they are independent.
        strength: The value of C.
        terms: Its words and pairs of words.
    """

    predict: Callable[[Sequence[str]], Probabilities]
    strength: float
    terms: int


def fit(train: LabelledTexts, held_out: LabelledTexts, classes: Sequence[str], *, multi_label: bool) -> LinearModel:
    """Fits the model; C is the first of `STRENGTHS` after which the mean loss on other documents does not fall.

    Args:
        train: The documents to fit on, with their weights.
        held_out: The documents that C is chosen on.
        classes: The names of the classes, which the probabilities are in the order of.
        multi_label: Whether a document has any number of labels: one model per class against the rest.
    """
    # Two classes share one weight per term.
    transform, features = _terms(train.texts, _MAX_WEIGHTS // (1 if multi_label or len(classes) < 3 else len(classes)))
    ids = {name: number for number, name in enumerate(classes)}
    targets = np.zeros([len(train.labels), len(classes)], np.int8)
    for row, names in enumerate(train.labels):
        targets[row, [ids[name] for name in names]] = 1
    other = transform(held_out.texts)
    weights = train.weights if train.weights.any() else np.ones(len(train.texts))
    best: tuple[float, float, _Predict] | None = None
    for strength in STRENGTHS if held_out.texts else (_DEFAULT_STRENGTH,):
        progress.working(f"linear model of {len(train.texts):,} documents, C {strength:g}", whole=False)
        if multi_label:
            predict = _fit_labels(features, targets, weights, strength)
        else:
            predict = _fit_classes(features, targets.argmax(axis=1), len(classes), weights, strength)
        found = losses(predict(other), held_out.labels, classes, multi_label=multi_label)
        loss = float(found.mean()) if len(found) else 0.0
        if best is not None and loss >= best[0]:
            break
        best = loss, strength, predict
    assert best is not None
    _, chosen, probabilities = best
    return LinearModel(lambda texts: probabilities(transform(texts)), chosen, features.shape[1])


def losses(
    probabilities: Probabilities, labels: Sequence[tuple[str, ...]], classes: Sequence[str], *, multi_label: bool
) -> NDArray[np.float64]:
    """Returns the loss of each document in nats, float64 [documents], as the models' own losses are defined.

    Of one label it is the cross-entropy; of any number the mean binary cross-entropy of the classes. A label without a
    class has the minimum probability; of several labels it counts as one more class.
    """
    ids = {name: number for number, name in enumerate(classes)}
    known = np.zeros(probabilities.shape, bool)
    unknown = np.zeros(len(labels))
    for row, names in enumerate(labels):
        known[row, [ids[name] for name in names if name in ids]] = True
        unknown[row] = sum(name not in ids for name in names)
    right = -np.log(np.maximum(probabilities, MIN_PROBABILITY))
    floor = -np.log(MIN_PROBABILITY)
    found: NDArray[np.float64] = np.where(known, right, 0).sum(axis=1) + unknown * floor
    if multi_label:
        wrong = -np.log(np.maximum(1 - probabilities, MIN_PROBABILITY))
        found = (found + np.where(known, 0, wrong).sum(axis=1)) / (len(classes) + unknown)
    return found


def _terms(texts: Sequence[str], limit: int) -> tuple[Callable[[Sequence[str]], csr_matrix], csr_matrix]:
    """Learns the terms of texts: those of two documents, or of one if no term is in two.

    Returns:
        The function from texts to their TF-IDF, float64 [texts, terms], and that of the given texts; at most `limit`
        terms, the most frequent ones, and none if the texts have no word.
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    def learn(documents: int) -> tuple[Any, csr_matrix]:
        vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), min_df=documents, sublinear_tf=True, token_pattern=WORDS, max_features=max(limit, 1)
        )
        try:
            return vectorizer, vectorizer.fit_transform(texts)
        except ValueError:  # No term is in so many documents.
            return None, csr_matrix((len(texts), 0))

    vectorizer, features = learn(2)
    if vectorizer is None:
        vectorizer, features = learn(1)

    def transform(others: Sequence[str]) -> csr_matrix:
        if vectorizer is None or not others:  # scikit-learn takes at least one text.
            return csr_matrix((len(others), features.shape[1]))
        return vectorizer.transform(others)

    return transform, features


def _fit_classes(
    features: csr_matrix, targets: NDArray[np.integer[Any]], classes: int, weights: NDArray[np.float64], strength: float
) -> _Predict:
    """Fits the probabilities of classes, which sum to 1, to class ids, integers [documents]."""
    from sklearn.linear_model import LogisticRegression

    present = np.unique(targets)
    if len(present) == 1 or not features.shape[1]:
        # An intercept alone, which scikit-learn does not fit.
        shares = np.bincount(targets, weights, minlength=classes) / weights.sum()
        return lambda others: np.tile(shares, [others.shape[0], 1])
    model: Any = LogisticRegression(C=strength, max_iter=1000).fit(features, targets, sample_weight=weights)

    def predict(others: csr_matrix) -> Probabilities:
        found = np.zeros([others.shape[0], classes])
        if others.shape[0]:
            found[:, model.classes_] = model.predict_proba(others)
        return found

    return predict


def _fit_labels(
    features: csr_matrix, targets: NDArray[np.integer[Any]], weights: NDArray[np.float64], strength: float
) -> _Predict:
    """Fits the independent probabilities of labels to whether documents have them, 0 or 1 [documents, classes]."""
    models = [_fit_classes(features, column, 2, weights, strength) for column in targets.T]
    return lambda others: np.stack([model(others)[:, 1] for model in models], axis=1)
