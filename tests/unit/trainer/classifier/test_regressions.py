"""Regressions of sparse rows against those of scikit-learn on dense ones, with more and with fewer dimensions."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from trainer.classifier.linear.regressions import Regressions

DOCUMENTS = 60


def unit_rows(dimensions: int) -> np.ndarray:
    """Sparse rows of length 1; one is empty, two are equal, and the first column is in all others."""
    draw = np.random.default_rng(dimensions)
    rows = draw.uniform(size=[DOCUMENTS, dimensions]) * (draw.uniform(size=[DOCUMENTS, dimensions]) < 0.1)
    rows[:, 0], rows[7], rows[5] = 0.5, rows[6], 0
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


@pytest.mark.parametrize("dimensions", [30, 400])
@pytest.mark.parametrize(("classes", "exclusive"), [(2, True), (4, True), (3, False)])
def test_logits_are_those_of_dense_rows(dimensions: int, classes: int, exclusive: bool) -> None:
    rows, draw = unit_rows(dimensions), np.random.default_rng(classes)
    labels = draw.integers(0, classes, DOCUMENTS)
    targets = np.eye(classes)[labels] if exclusive else draw.integers(0, 2, [DOCUMENTS, classes]).astype(float)
    weights = draw.uniform(0.5, 2, DOCUMENTS)
    found = Regressions(scipy.sparse.csr_matrix(rows), targets, weights, exclusive=exclusive)
    for penalty in (1.0, 16.0):
        coefficients, bias = found.fit(penalty)
        assert coefficients.shape == (dimensions, classes)
        logits = rows @ coefficients + bias
        options = {"C": penalty, "tol": 1e-10, "max_iter": 10_000}
        if exclusive:
            expected = LogisticRegression(**options).fit(rows, labels, weights).predict_proba(rows)
            odds = np.exp(logits)
            np.testing.assert_allclose(odds / odds.sum(1, keepdims=True), expected, atol=1e-3)
        else:
            for column in range(classes):
                one = LogisticRegression(**options).fit(rows, targets[:, column], weights)
                np.testing.assert_allclose(logits[:, column], one.decision_function(rows), atol=1e-2)
