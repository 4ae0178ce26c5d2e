"""Margins between a model and the linear one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.margins import Margin, failed

SHARES = st.integers(1, 100_000).flatmap(lambda documents: st.tuples(st.integers(0, documents), st.just(documents)))


@given(SHARES, st.integers(0, 1000), st.booleans())
def test_a_value_on_the_bound_passes_and_one_document_less_fails(share, lead, higher):
    right, documents = share
    # The bound is the decimal that a user writes for the same difference.
    margin = Margin(lead / documents, higher_is_better=higher)
    sign = 1 if higher else -1
    value = (right + sign * lead) / documents
    assert margin.met(value, right / documents)
    assert not margin.met(value - sign / documents, right / documents)


def test_a_missing_value_fails():
    margins = {name: Margin(-1, higher_is_better=True) for name in ("a", "b", "c", "d")}
    model = {"a": 0.5, "b": 0.5, "c": math.nan}
    assert list(failed(margins, model, {"a": 0.9, "c": 0.1, "d": 0.1})) == ["b", "c", "d"]
    assert list(failed({"a": Margin(0, higher_is_better=False)}, model, {"a": 0.5})) == []


@pytest.mark.parametrize(("value", "met"), [(0.29, False), (0.3, True), (0.31, True)])
def test_a_higher_value_is_better(value, met):
    assert Margin(0.1, higher_is_better=True).met(value, 0.2) == met
    assert Margin(0.1, higher_is_better=False).met(-value, -0.2) == met
