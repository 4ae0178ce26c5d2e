"""What the output section accepts and refuses."""

import pytest
from pydantic import ValidationError

from trainer.settings import OutputSettings


@pytest.mark.parametrize(
    ("values", "part"),
    [({"shard_mb": 0}, "greater than 0"), ({"level": "fast"}, "level"), ({"compression": "zip"}, "'gzip' or 'none'")],
)
def test_settings_that_cannot_be_used_are_refused(values: dict, part: str) -> None:
    with pytest.raises(ValidationError, match=part):
        OutputSettings.model_validate(values)


def test_settings_survive_json() -> None:
    for values in ({}, {"compression": "none", "shard_mb": 1}):
        settings = OutputSettings.model_validate(values)
        assert OutputSettings.model_validate_json(settings.model_dump_json()) == settings
