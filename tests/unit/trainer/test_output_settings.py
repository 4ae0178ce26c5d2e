"""What the output section accepts, what it refuses and what it tells then."""

import pytest
from pydantic import ValidationError

from trainer.settings import OutputSettings


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        (
            {"compression": "none", "level": "small"},
            ["level small is one of gzip, and compression is none", "remove level, or set compression: gzip"],
        ),
        ({"level": "best"}, ["'fast' or 'small'"]),
        ({"level": 9}, ["'fast' or 'small'"]),
        ({"shard_mb": 0}, ["greater than 0"]),
    ],
)
def test_settings_that_cannot_be_used_are_refused(values: dict, parts: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        OutputSettings.model_validate(values)
    for part in parts:
        assert part in str(caught.value)


def test_settings_survive_json() -> None:
    for values in ({}, {"level": "small"}, {"compression": "none", "level": "fast", "shard_mb": 1}):
        settings = OutputSettings.model_validate(values)
        assert OutputSettings.model_validate_json(settings.model_dump_json()) == settings
    assert OutputSettings() == OutputSettings(compression="gzip", level="fast")
