"""The settings that follow from the size of the train split."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from pydantic import ValidationError

from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import CLASSIFIER
from trainer.training.pace import (
    BESIDE_NGRAMS,
    OF_DOCUMENTS,
    OF_TOKENS,
    Pace,
    PacePlan,
    SplitSize,
    chosen,
    paced,
    suited,
)
from trainer.training.settings import AUTO, TrainingSettings, given

KEYS = set(Pace._fields)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (SplitSize(0, 0), Pace(5, 2_048, 8, 5e-3)),
        (SplitSize(1, 1), Pace(5, 2_048, 8, 5e-3)),
        (SplitSize(160, 30_000), Pace(5, 2_048, 8, 5e-3)),
        (SplitSize(240, 50_000), Pace(3, 2_048, 8, 5e-3)),
        (SplitSize(800, 175_000), Pace(3, 4_096, 16, 5e-3)),
        (SplitSize(2_400, 585_000), Pace(3, 16_384, 64, 5e-3)),
        (SplitSize(8_000, 1_900_000), Pace(3, 16_384, 64, 3.9e-3)),
        (SplitSize(6_800, 150_000), Pace(3, 4_096, 64, 4.2e-3)),
        (SplitSize(26_927, 5_500_000), Pace(3, 16_384, 64, 2.1e-3)),
        (SplitSize(10**6, 2 * 10**8), Pace(3, 16_384, 64, 2e-3)),
    ],
    ids=str,
)
def test_the_pace_of_a_size(size: SplitSize, expected: Pace) -> None:
    assert suited(size) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (SplitSize(160, 5_000), Pace(20, 2_048, 8, 1e-2)),
        (SplitSize(800, 20_000), Pace(16, 2_048, 16, 1e-2)),
        (SplitSize(100_000, 2_500_000), Pace(6, 16_384, 64, 2.9e-3)),
    ],
    ids=str,
)
def test_the_pace_of_a_tagger_has_more_steps(size: SplitSize, expected: Pace) -> None:
    assert suited(size, OF_TOKENS) == expected
    assert expected.epochs >= suited(size).epochs


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (SplitSize(0, 0), Pace(1, 16_384, 64, 5e-3)),
        (SplitSize(240, 50_000), Pace(1, 16_384, 64, 5e-3)),
        (SplitSize(1_499, 300_000), Pace(1, 16_384, 64, 5e-3)),
        (SplitSize(1_500, 300_000), suited(SplitSize(1_500, 300_000), OF_DOCUMENTS)),
    ],
    ids=str,
)
def test_an_encoder_beside_ngrams_reads_few_documents_once(size: SplitSize, expected: Pace) -> None:
    assert suited(size, BESIDE_NGRAMS) == expected


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({}, BESIDE_NGRAMS),
        ({"encoder": "cnn"}, BESIDE_NGRAMS),
        ({"ngrams": None}, OF_DOCUMENTS),
        ({"embedding": {"from": "vectors.txt"}}, OF_DOCUMENTS),
    ],
    ids=str,
)
def test_an_encoder_that_is_alone_or_starts_with_word_vectors_reads_them_more_often(
    section: dict[str, Any], expected: PacePlan
) -> None:
    assert CLASSIFIER.plan(ClassifierSettings.model_validate(section)) == expected


@pytest.mark.parametrize("plan", [OF_DOCUMENTS, OF_TOKENS], ids=["documents", "tokens"])
@drawn(st.integers(1, 10**7), st.integers(0, 10**4), st.integers(1, 100))
def test_a_larger_split_has_no_smaller_batches_and_no_more_epochs(
    plan: PacePlan, documents: int, mean: int, times: int
) -> None:
    small, large = (suited(SplitSize(documents * n, documents * n * mean), plan) for n in (1, times))
    assert small.batch_tokens <= large.batch_tokens
    assert small.batch_documents <= large.batch_documents
    assert small.epochs >= plan.epochs[0]
    for batch in (small.batch_tokens, small.batch_documents):
        assert batch & (batch - 1) == 0


def test_a_number_in_the_settings_wins() -> None:
    size = SplitSize(1_000, 200_000)
    settings = TrainingSettings(epochs=2, learning_rate=0.5)
    assert set(chosen(settings, size)) == {"batch_tokens", "batch_documents"}
    made = paced(settings, size)
    assert (made.epochs, made.learning_rate) == (2, 0.5)
    assert (made.batch_tokens, made.batch_documents) == suited(size)[1:3]
    assert chosen(made, size) == {}
    assert paced(TrainingSettings(), size).model_dump(include=KEYS) == suited(size)._asdict()


def test_a_setting_that_is_still_auto_has_no_number() -> None:
    assert given(3) == 3
    with pytest.raises(ValueError, match="auto"):
        given(TrainingSettings().epochs)


@pytest.mark.parametrize("key", sorted(KEYS))
@pytest.mark.parametrize("value", [0, -1, True, "Auto", None, [1], 1e39])
def test_anything_but_auto_or_a_positive_number_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match="neither auto nor a"):
        TrainingSettings.model_validate({key: value}, strict=True)
    assert getattr(TrainingSettings.model_validate({key: AUTO}), key) == AUTO
