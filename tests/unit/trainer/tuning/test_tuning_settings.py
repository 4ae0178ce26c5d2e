"""The search section: lists, ranges, invalid dimensions, and values set in a trainer section."""

import json

import pytest
from pydantic import ValidationError

from trainer.classifier.settings import ClassifierSettings
from trainer.training.settings import AUTO
from trainer.tuning.settings import DimensionSettings, TuneSettings
from trainer.tuning.values import set_key, takes_integers, trainer_values, with_values

BASE = json.loads(ClassifierSettings().model_dump_json())


def dimension(**values: object) -> DimensionSettings:
    return DimensionSettings.model_validate_json(json.dumps(values), strict=True)


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        ({"values": [32, 64]}, (32, 64)),
        ({"values": [0, 0.5]}, (0.0, 0.5)),
        ({"values": ["gru", "lstm"]}, ("gru", "lstm")),
        ({"values": [True, False]}, (True, False)),
        ({"min": 0.1, "max": 0.6, "step": 0.1}, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
        ({"min": 1, "max": 6, "step": 2}, (1, 3, 5)),
        ({"min": 0, "max": 1, "step": 0.5}, (0.0, 0.5, 1.0)),
        ({"min": 1, "max": 6}, None),
        ({"min": 1e-4, "max": 1e-2, "scale": "log"}, None),
    ],
)
def test_the_values_of_lists_and_ranges(given: dict[str, object], listed: tuple[object, ...] | None) -> None:
    found = dimension(**given).listed
    assert found == listed
    assert [type(value) for value in found or ()] == [type(value) for value in listed or ()]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "neither values nor a range"),
        ({"min": 1}, "neither values nor a range"),
        ({"values": [1], "min": 1}, "values cannot be combined with a range. .* remove min"),
        ({"values": [1, "a"]}, "several types"),
        ({"values": [True, 2]}, "several types"),
        ({"values": [1, 1.0]}, "values has a duplicate"),
        ({"values": []}, "several types"),
        ({"min": 2, "max": 2}, "min is not below max"),
        ({"min": 0, "max": 2, "scale": "log"}, "scale log needs a min above 0"),
        ({"min": 1, "max": 2, "scale": "log", "step": 1}, "step cannot be combined with scale log"),
        ({"min": 0, "max": 1, "step": 1e-6}, "too many values. .* 1,000,000 values"),
        ({"min": 0, "max": 1, "step": 0}, "greater than 0"),
        ({"values": [None, 1]}, "values"),
    ],
)
def test_invalid_dimensions_are_rejected(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        dimension(**given)
    with pytest.raises(ValidationError):
        TuneSettings.model_validate({"space": {}})


def test_values_are_set_at_their_keys_and_others_are_unchanged() -> None:
    before = json.dumps(BASE)
    assert set_key(BASE, "trainer.bigrams.width", 3)["bigrams"] == {**BASE["bigrams"], "width": 3}
    assert json.dumps(BASE) == before
    values = {"trainer.units": 8, "trainer.embedding.width": 12, "tuner/epochs": 2, "tuner/bracket": 1}
    settings = with_values(ClassifierSettings(), values)
    assert (settings.units, settings.embedding.width, settings.epochs) == (8, 12, 2)
    assert settings.model_copy(update={"units": 64, "epochs": AUTO, "embedding": ClassifierSettings().embedding}) == (
        ClassifierSettings()
    )
    assert trainer_values(values) == {"trainer.units": 8, "trainer.embedding.width": 12, "trainer.epochs": 2}
    assert with_values(ClassifierSettings(), {}) == ClassifierSettings()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("trainer.units", 3, True),
        ("trainer.bigrams.width", 3, True),
        ("trainer.dropout", 0, False),
        ("trainer.learning_rate", 1, False),
        ("trainer.embedding", 8, None),
    ],
)
def test_a_key_takes_integers_by_its_type_and_not_by_its_value(key: str, value: int, expected: bool | None) -> None:
    assert takes_integers(ClassifierSettings, BASE, key, value) is expected
