"""The shares of an encoder and of a linear model beside it, chosen on held-out examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

_PRIOR, _ALONE = np.array([10.0, 25.0]), np.array([0.0, 1.0])
"""The precisions and the mean of the normal prior, the linear model alone: few examples decide little."""

_LEAST = 0.05
"""An encoder with a smaller share changes no answer: it is left out."""


class Shares(NamedTuple):
    """The factors of both logits."""

    encoder: float
    linear: float


def lowest(loss: Callable[[NDArray[np.float64]], Any], *, with_slope: bool = False) -> Shares:
    """Returns the shares, 0 or more, with the lowest loss, and near (0, 1) if it is the loss of few examples.

    An encoder that hardly helps gets 0.

    Args:
        loss: From both shares to the summed loss of held-out examples, in nats.
        with_slope: Whether it returns the gradient by the shares, [2], as well.
    """

    def total(shares: NDArray[np.float64]) -> Any:
        away, found = shares - _ALONE, loss(shares)
        prior = float((_PRIOR / 2 * np.square(away)).sum())
        return (found[0] + prior, found[1] + _PRIOR * away) if with_slope else found + prior

    def within(most: float) -> Shares:
        """Minimizes with at most so much of the encoder."""
        start, bounds = np.array([min(0.5, most), 0.5]), [(0, most), (0, np.inf)]
        found = scipy.optimize.minimize(total, start, jac=with_slope or None, method="L-BFGS-B", bounds=bounds)
        return Shares(*(round(float(share), 6) for share in found.x))

    best = within(np.inf)
    return best if best.encoder >= _LEAST else within(0.0)
