"""The interval of a share against SciPy's."""

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from trainer.jobs.counting import interval


@given(st.integers(1, 10_000).flatmap(lambda number: st.tuples(st.integers(0, number), st.just(number))))
def test_the_interval_is_scipys_wilson_interval(counts):
    right, number = counts
    low, high = interval(right / number, number)
    expected = scipy.stats.binomtest(right, number).proportion_ci(0.95, method="wilson")
    assert (low, high) == (pytest.approx(expected.low, abs=1e-12), pytest.approx(expected.high, abs=1e-12))
    assert 0 <= low <= high <= 1
