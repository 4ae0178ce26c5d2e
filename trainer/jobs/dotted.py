"""Objects by their dotted paths, with which a component gets a task's half without importing any task."""

from __future__ import annotations

import importlib
from typing import Any


def load(path: str) -> Any:
    """Imports an object.

    Args:
        path: Its module and its name in it: `trainer.tagger.training:TAGGER`.

    Raises:
        ValueError: If the path is of another form, or the module or the name does not exist.
    """
    module, _, name = path.partition(":")
    if not module or not name.isidentifier():
        raise ValueError(f"{path!r} is not of the form module:NAME")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A module that is missing behind an existing one is another fault.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ValueError(f"{path!r} names an unknown module: {error.name}") from error
    if not hasattr(found, name):
        raise ValueError(f"{path!r} names an unknown object: {module} has no {name}")
    return getattr(found, name)
