"""Spans of tags against seqeval and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from trainer.tagger.spans import not_span_tags, spans

BIO = ["O", "B-X", "I-X", "B-Y", "I-Y"]
ANY = st.lists(st.sampled_from([*BIO, "E-X", "S-X", "E-Y", "B-a-b", "I-a-b", "B", "I", "I-_", "E", "S"]), max_size=12)


@given(ANY)
def test_spans_of_any_sequence_match_seqeval(tags: list[str]) -> None:
    assert spans(tags) == set(get_entities(tags))


def test_spans_worked_out_by_hand() -> None:
    assert spans(["B-X", "I-X", "O", "B-Y"]) == {("X", 0, 1), ("Y", 3, 3)}
    assert spans(["B-X", "B-X", "I-Y", "I-Y"]) == {("X", 0, 0), ("X", 1, 1), ("Y", 2, 3)}
    assert spans(["O", "I-X", "I-X"]) == {("X", 1, 2)}
    assert spans(["B-X", "I-X", "E-X", "S-X", "O"]) == {("X", 0, 2), ("X", 3, 3)}
    assert spans([]) == spans(["O"]) == set()


@pytest.mark.parametrize("tag", [*BIO, "B", "S", "E-a-b"])
def test_tags_that_mark_spans(tag: str) -> None:
    assert not_span_tags([tag]) == []


@pytest.mark.parametrize("tag", ["", "NN", "OO", "B-", "BX", "b-X", "X-B", "IN", "O-X"])
def test_tags_that_mark_none(tag: str) -> None:
    assert not_span_tags(["O", tag, "B-X"]) == [tag]
