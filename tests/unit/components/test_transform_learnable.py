"""The check that the train split has something to learn."""

from collections import Counter

import pytest

from components.sequence_transform.learnable import require_learnable
from components.sequence_transform.vocabulary import TokenCounts
from trainer.data.kinds import LABELLED_TEXT, MULTI_LABELLED_TEXT, TAGGED_TEXT, CorpusKind
from trainer.errors import JobError


def counts(documents: int, **classes: int) -> TokenCounts:
    return TokenCounts(classes=Counter(classes), documents=documents)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (LABELLED_TEXT, counts(5, pos=1, neg=4)),
        (TAGGED_TEXT, counts(5, O=99, X=1)),
        (MULTI_LABELLED_TEXT, counts(5, pos=4)),
        (MULTI_LABELLED_TEXT, counts(5, pos=5, film=1)),
    ],
)
def test_classes_that_differ_pass(kind: CorpusKind, found: TokenCounts) -> None:
    require_learnable(found, kind)


@pytest.mark.parametrize(
    ("kind", "constant", "parts"),
    [
        (LABELLED_TEXT, counts(5, pos=5), ["only one class", "found: pos", "at least two classes", "corpus.label"]),
        (LABELLED_TEXT, counts(5, pos=5, neg=0), ["only one class", "found: pos"]),
        (TAGGED_TEXT, counts(5, O=99), ["only one tag", "found: O", "at least two tags", "column of the tags"]),
        (MULTI_LABELLED_TEXT, counts(5, pos=5, film=5), ["the same labels", "found: film, pos, on each of 5"]),
        (MULTI_LABELLED_TEXT, counts(5), ["the same labels", "found: none, on each of 5"]),
    ],
)
def test_constant_classes_are_refused(kind: CorpusKind, constant: TokenCounts, parts: list[str]) -> None:
    with pytest.raises(JobError) as caught:
        require_learnable(constant, kind)
    assert [part for part in parts if part not in str(caught.value)] == []
