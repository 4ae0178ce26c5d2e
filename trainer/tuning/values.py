"""Setting the values of hyperparameters in the trainer section."""

from __future__ import annotations

import copy
import functools
import json
import operator
from collections.abc import Mapping
from typing import Any, TypeVar

from trainer.settings import COLLECT, Settings

S = TypeVar("S", bound=Settings)

SECTION = "trainer."
"""The prefix of the keys."""

EPOCHS = "tuner/epochs"
"""The key of keras-tuner's Hyperband for the epochs of a trial."""


def set_key(settings: Mapping[str, Any], key: str, value: object) -> dict[str, Any]:
    """Returns the decoded JSON of a trainer section with a value replaced at a key, e.g. `trainer.embedding.width`."""
    result: dict[str, Any] = copy.deepcopy(dict(settings))
    *sections, last = key.removeprefix(SECTION).split(".")
    functools.reduce(operator.getitem, sections, result)[last] = value
    return result


def takes_integers(kind: type[Settings], settings: Mapping[str, Any], key: str, value: float) -> bool | None:
    """Returns whether a key takes only integers; None if it takes no number.

    Args:
        kind: The model of the trainer section.
        settings: The decoded JSON of the trainer section.
        key: The key.
        value: A valid number for the key.
    """
    read = json.loads(validated(kind, set_key(settings, key, value)).model_dump_json())
    found = functools.reduce(operator.getitem, key.removeprefix(SECTION).split("."), read)
    return isinstance(found, int) if isinstance(found, int | float) else None


def validated(kind: type[S], settings: Mapping[str, Any]) -> S:
    """Validates a trainer section strictly, as in a job's YAML; `all_problems` of the result lists its problems."""
    return kind.model_validate_json(json.dumps(settings), strict=True, context=COLLECT)


def with_values(settings: S, values: Mapping[str, Any]) -> S:
    """Returns a trainer section with values by key from keras-tuner replaced."""
    section = settings.model_dump(mode="json")
    for key, value in trainer_values(values).items():
        section = set_key(section, key, value)
    return type(settings).model_validate_json(json.dumps(section))


def trainer_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values by their keys in the configuration, without keras-tuner's internal ones."""
    own = {key: value for key, value in values.items() if key.startswith(SECTION)}
    return {**own, f"{SECTION}epochs": values[EPOCHS]} if EPOCHS in values else own
