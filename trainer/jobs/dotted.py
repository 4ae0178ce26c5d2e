"""Objects by the place they stand at, so that what runs them imports no task."""

from __future__ import annotations

import importlib
from typing import Any


def load(place: str) -> Any:
    """Imports an object.

    Args:
        place: Its module and its name, as in `trainer.tagger.training:TAGGER`.

    Raises:
        ValueError: If the place has another form, or there is no such module or name.
    """
    module, colon, name = place.partition(":")
    if not (module and colon and name):
        raise ValueError(f"{place!r} is not of the form module:NAME")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{place} cannot be imported: {error}") from error
