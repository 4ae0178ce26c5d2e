"""Logistic regressions of sparse rows, for few documents in as many dimensions as there are documents."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

_REDUCED, _MOST_REDUCED = 600, 3_000
"""Up to so many documents for each column of weights, and in all, the dimensions are reduced: of more documents, the
inner products take longer than the fits that they spare."""

_MAX_ITERATIONS = 300
_TOLERANCE = 1e-5
"""Fits start from the last penalty's, where a coarser limit would end them at once."""
_JITTER = 1e-10
"""Added to squared lengths of 1, so that equal documents have a factor too."""
_FREQUENT = 1 / 8
"""Columns in a larger share of the rows are multiplied as dense ones."""

Matrix = Any
"""A sparse matrix of scipy, [documents, n-grams]."""


class Regressions:
    """Logistic regressions that start from the weights of the last penalty.

    With a penalty on squared weights, the best weights are a sum of the rows (Schoelkopf et al. 2001, A Generalized
    Representer Theorem), and the logits and the penalty depend on the rows' inner products alone. So rows with the same
    inner products, the factor of Cholesky, give the same regression in as many dimensions as there are documents.

    Args:
        rows: The values of the documents, [documents, n].
        targets: Targets of 0 and 1, [documents, classes].
        weights: The weight of each document, [documents].
        exclusive: Whether each document has exactly one class.
    """

    def __init__(
        self, rows: Matrix, targets: NDArray[np.float64], weights: NDArray[np.float64], *, exclusive: bool
    ) -> None:
        self._rows, self._targets, self._weights, self._exclusive = rows, targets, weights, exclusive
        self._factor = _factor(rows) if _is_reduced(rows, 1 if targets.shape[1] == 2 else targets.shape[1]) else None
        columns = [targets.argmax(1)] if exclusive else list(targets.T.astype(int))
        options = {"max_iter": _MAX_ITERATIONS, "tol": _TOLERANCE, "warm_start": True}
        # Without n-grams, or of one class alone, nothing can be learned.
        self._parts = [
            (column, LogisticRegression(**options) if rows.shape[1] and len(set(column)) > 1 else None)
            for column in columns
        ]

    def fit(self, penalty: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns weights [n, classes] and bias [classes]."""
        inputs = self._rows if self._factor is None else self._factor
        weights, bias = np.zeros([self._targets.shape[1], inputs.shape[1]]), self._prior()
        for number, (column, regression) in enumerate(self._parts):
            if regression is None:
                continue
            regression.set_params(C=penalty)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                regression.fit(inputs, column, self._weights)
            if not self._exclusive:
                weights[number], bias[number] = regression.coef_[0], regression.intercept_[0]
            elif len(regression.classes_) == 2:
                halves = np.array([-0.5, 0.5])
                weights[regression.classes_] = halves[:, np.newaxis] * regression.coef_
                bias[regression.classes_] = halves * regression.intercept_
            else:
                weights[regression.classes_], bias[regression.classes_] = regression.coef_, regression.intercept_
        if self._factor is None:
            return weights.T, bias
        of_rows = scipy.linalg.solve_triangular(self._factor, weights.T, lower=True, trans="T")
        return self._rows.T @ of_rows, bias

    def _prior(self) -> NDArray[np.float64]:
        """Returns the bias of classes that all documents have or none has: the logit of an add-half share."""
        shares = (self._targets.sum(0) + 0.5) / (len(self._targets) + 1)
        return np.asarray(np.log(shares) - (0 if self._exclusive else np.log1p(-shares)))


def _is_reduced(rows: Matrix, columns: int) -> bool:
    """Returns whether a regression in as many dimensions as there are documents is worth it."""
    documents, dimensions = rows.shape
    return bool(documents < dimensions and documents <= min(_REDUCED * columns, _MOST_REDUCED))


def _factor(rows: Matrix) -> NDArray[np.float64]:
    """Returns a lower triangular matrix whose rows have the inner products of the given ones."""
    columns = rows.tocsc()
    frequent = np.diff(columns.indptr) > _FREQUENT * rows.shape[0]
    dense, rare = columns[:, frequent].toarray(), columns[:, ~frequent].tocsr()
    products = dense @ dense.T + (rare @ rare.T).toarray()
    return np.asarray(np.linalg.cholesky(products + _JITTER * np.eye(len(products))))
