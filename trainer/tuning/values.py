"""Values of hyperparameters in the settings that they belong to."""

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
"""What the keys start with."""

EPOCHS = "tuner/epochs"
"""Where keras-tuner's Hyperband tells how many epochs a trial has."""


def set_key(settings: Mapping[str, Any], key: str, value: object) -> dict[str, Any]:
    """Settings with another value at one key.

    Args:
        settings: The trainer section, as JSON has it.
        key: Its path from the root of the configuration: `trainer.embedding.width`.
        value: The value.
    """
    result: dict[str, Any] = copy.deepcopy(dict(settings))
    *sections, last = key.removeprefix(SECTION).split(".")
    functools.reduce(operator.getitem, sections, result)[last] = value
    return result


def takes_integers(kind: type[Settings], settings: Mapping[str, Any], key: str, value: float) -> bool | None:
    """Whether a key takes whole numbers alone; None where it takes no number.

    Args:
        kind: What the trainer section is read as.
        settings: The trainer section, as JSON has it.
        key: The key.
        value: A number that is allowed there.
    """
    read = json.loads(validated(kind, set_key(settings, key, value)).model_dump_json())
    found = functools.reduce(operator.getitem, key.removeprefix(SECTION).split("."), read)
    return isinstance(found, int) if isinstance(found, int | float) else None


def validated(kind: type[S], settings: Mapping[str, Any]) -> S:
    """Reads the trainer section as a job's YAML is read, strictly; `all_problems` of the result lists its problems."""
    return kind.model_validate_json(json.dumps(settings), strict=True, context=COLLECT)


def with_values(settings: str, values: Mapping[str, Any] | None) -> str:
    """Settings with the values of hyperparameters.

    Args:
        settings: The trainer section as JSON.
        values: Values by key, as keras-tuner has them; None: none.

    Returns:
        The section as JSON.
    """
    section = json.loads(settings)
    for key, value in trainer_values(values or {}).items():
        section = set_key(section, key, value)
    return json.dumps(section)


def trainer_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by their keys in the configuration, without what else keras-tuner notes beside them."""
    own = {key: value for key, value in values.items() if key.startswith(SECTION)}
    return {**own, f"{SECTION}epochs": values[EPOCHS]} if EPOCHS in values else own
