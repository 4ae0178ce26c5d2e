"""Metrics of taggers against seqeval and counts by hand."""

import math
import random

import pytest
import seqeval.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.tagger.metrics import TagCounts, span_f1, span_precision, span_recall, token_accuracy, token_loss

TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y", "E-X", "S-Y", "B-a-b", "I-a-b", "B", "I"]
PAIRS = st.lists(
    st.lists(st.tuples(st.sampled_from(TAGS[:5]) | st.sampled_from(TAGS), st.sampled_from(TAGS))), min_size=1
)
Sentences = list[list[tuple[str, str]]]


def count(sentences: Sentences, losses: list[float] | None = None) -> TagCounts:
    counts = TagCounts()
    for pairs, loss in zip(sentences, losses or [0.0] * len(sentences), strict=True):
        counts.add([wanted for wanted, _ in pairs], [found for _, found in pairs], loss)
    return counts


@given(PAIRS)
@settings(max_examples=50)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_span_figures_of_any_tags_match_seqeval(sentences: Sentences) -> None:
    counts = count(sentences)
    wanted, found = ([[pair[side] for pair in pairs] for pairs in sentences] for side in (0, 1))
    scores = seqeval.metrics.f1_score, seqeval.metrics.precision_score, seqeval.metrics.recall_score
    # Where seqeval warns and returns 0, there is no value.
    wholes = counts.given + counts.predicted, counts.predicted, counts.given
    for figure, score, whole in zip((span_f1, span_precision, span_recall), scores, wholes, strict=True):
        expected = score(wanted, found) if whole else math.nan
        assert figure(counts) == pytest.approx(expected, nan_ok=True)
    if counts.tokens:
        assert token_accuracy(counts) == pytest.approx(seqeval.metrics.accuracy_score(wanted, found))


@given(PAIRS)
@settings(max_examples=50)
def test_bilou_has_the_figures_of_bioes(sentences: Sentences) -> None:
    bilou = [
        [tuple(tag.replace("E-", "L-").replace("S-", "U-") for tag in pair) for pair in pairs] for pairs in sentences
    ]
    assert count(bilou) == count(sentences)


def test_figures_match_those_computed_by_hand() -> None:
    # Of the spans X 0-1, Y 3-3 and X 0-0 the model finds the last two, and two others.
    first = [("B-X", "B-X"), ("I-X", "O"), ("O", "O"), ("B-Y", "B-Y")]
    second = [("B-X", "I-X"), ("O", "B-Y")]
    counts = count([first, second, []], [0.5, 1.0, 0.0])
    assert counts == TagCounts(counts.loss, 6, 3, 3, 4, 2, 0)
    assert token_accuracy(counts) == 3 / 6
    assert token_loss(counts) == 0.25
    assert (span_precision(counts), span_recall(counts), span_f1(counts)) == (2 / 4, 2 / 3, 4 / 7)
    spans = [figure(count([[("O", "O")]])) for figure in (span_precision, span_recall, span_f1)]
    assert [getattr(value, "reason", None) for value in spans] == [
        "has no predicted span",
        "has no span",
        "has no span",
    ]
    assert [math.isnan(figure(count([[]]))) for figure in (token_accuracy, token_loss)] == [True, True]
    assert math.isnan(token_loss(count([[("O", "O")]] * 3, [1.0, math.nan, 2.0])))
    assert token_loss(count([[("O", "O")]] * 2, [math.inf, 1.0])) == math.inf


@pytest.mark.parametrize("pair", [("NN", "NN"), ("O", "NN"), ("B-", "O")])
def test_tags_that_mark_no_spans_have_only_an_accuracy(pair: tuple[str, str]) -> None:
    counts = count([[("B-X", "B-X")], [pair, ("O", "O")]])
    assert counts.others == sum(tag not in ("O", "B-X") for tag in pair)
    assert all(math.isnan(figure(counts)) for figure in (span_precision, span_recall, span_f1))
    assert token_accuracy(counts) == (3 if pair[0] == pair[1] else 2) / 3


@given(st.lists(st.floats(0, 1e3, width=32), min_size=1), st.randoms())
def test_the_loss_does_not_depend_on_the_order(losses: list[float], order: random.Random) -> None:
    mixed = order.sample(losses, len(losses))
    one, other = (token_loss(count([[("O", "O")]] * len(listed), listed)) for listed in (losses, mixed))
    assert one == other == pytest.approx(math.fsum(losses) / len(losses))
