"""Spans of tags against seqeval and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOB1, IOBES, Entities, Token

from trainer.tagger.spans import not_span_tags, spans

BIO = ["O", "B-X", "I-X", "B-Y", "I-Y"]
ANY = st.lists(st.sampled_from([*BIO, "E-X", "S-X", "E-Y", "B-a-b", "I-a-b", "B", "I", "I-_", "E", "S"]), max_size=12)


@given(ANY)
def test_spans_of_any_sequence_match_seqeval(tags: list[str]) -> None:
    assert spans(tags) == set(get_entities(tags))


def renamed(tags: list[str]) -> list[str]:
    """The same tags in BILOU."""
    return [{"E": "L", "S": "U"}.get(tag[0], tag[0]) + tag[1:] for tag in tags]


@given(ANY)
def test_bilou_marks_the_spans_of_bioes(tags: list[str]) -> None:
    assert spans(renamed(tags)) == set(get_entities(tags))


def strict(tags: list[str], scheme: type[Token]) -> set[tuple[str, int, int]]:
    (entities,) = Entities([tags], scheme).entities
    return {(entity.tag, entity.start, entity.end - 1) for entity in entities}


RUNS = st.lists(st.tuples(st.sampled_from([None, "X", "Y"]), st.integers(1, 4)), max_size=6)


@given(RUNS)
def test_spans_of_valid_sequences_match_seqeval_in_strict_mode(runs: list[tuple[str | None, int]]) -> None:
    bioes: list[str] = []
    iob1: list[str] = []
    for kind, length in runs:
        touches = kind is not None and iob1[-1:] in ([f"I-{kind}"], [f"B-{kind}"])
        iob1 += ["O"] * length if kind is None else [f"{'B' if touches else 'I'}-{kind}", *[f"I-{kind}"] * (length - 1)]
        parts = ["S"] if length == 1 else ["B", *"I" * (length - 2), "E"]
        bioes += ["O"] * length if kind is None else [f"{part}-{kind}" for part in parts]
    assert spans(bioes) == strict(bioes, IOBES)
    assert spans(renamed(bioes)) == strict(renamed(bioes), BILOU)
    assert spans(iob1) == strict(iob1, IOB1)
    assert len(spans(bioes)) == len(spans(iob1)) == sum(kind is not None for kind, _ in runs)


def test_spans_worked_out_by_hand() -> None:
    assert spans(["B-X", "I-X", "O", "B-Y"]) == {("X", 0, 1), ("Y", 3, 3)}
    assert spans(["B-X", "B-X", "I-Y", "I-Y"]) == {("X", 0, 0), ("X", 1, 1), ("Y", 2, 3)}
    assert spans(["O", "I-X", "I-X"]) == {("X", 1, 2)}
    assert spans(["B-X", "I-X", "E-X", "S-X", "O"]) == {("X", 0, 2), ("X", 3, 3)}
    assert spans([]) == spans(["O"]) == set()


@pytest.mark.parametrize("tag", [*BIO, "B", "S", "E-a-b", "L", "U-X"])
def test_tags_that_mark_spans(tag: str) -> None:
    assert not_span_tags([tag]) == []


@pytest.mark.parametrize("tag", ["", "NN", "OO", "B-", "BX", "b-X", "X-B", "IN", "O-X"])
def test_tags_that_mark_none(tag: str) -> None:
    assert not_span_tags(["O", tag, "B-X"]) == [tag]
