"""Objects by dotted path, so that components use a task's training without importing any task."""

from __future__ import annotations

import importlib
from typing import Any


def load(path: str) -> Any:
    """Imports the object at a path such as `trainer.<task>.training:<TASK>`.

    Raises:
        ValueError: If the path has another form, or the module or the name does not exist.
    """
    module, _, name = path.partition(":")
    if not module or not name.isidentifier():
        raise ValueError(f"{path!r} is not of the form module:NAME")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # An import that fails inside an existing module is a different error.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ValueError(f"{path!r} names an unknown module: {error.name}") from error
    if not hasattr(found, name):
        raise ValueError(f"{path!r} names an unknown object: {module} has no {name}")
    return getattr(found, name)
