"""Imports packages without what they load only in case somebody uses it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from typing import Any

_OPTIONAL_FOR_TENSORFLOW = ("googleapiclient", "keras.src")
"""TensorFlow asks the first one for the addresses of cloud machines, and imports Keras to register its optimizers for
the loading of models that Keras saved. It does without both; this project uses neither."""


@contextlib.contextmanager
def without(names: tuple[str, ...]) -> Iterator[None]:
    """Makes imports of modules fail in the context as if they were not installed, unless they are already imported.

    Python documents that `None` in `sys.modules` does this. Afterwards they can be imported again.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # typeshed does not know of None
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def import_tensorflow() -> None:
    """Imports TensorFlow without Keras, which `tf.keras` and `import keras` load when they are used."""
    with without(_OPTIONAL_FOR_TENSORFLOW):
        importlib.import_module("tensorflow")


def defer(package: str) -> None:
    """Defers the `__init__` of a package that is not yet imported until one of its names is used.

    Importing its submodules does not run it. It is `importlib.util.LazyLoader` for packages: that one runs a package as
    soon as a submodule is imported.
    """
    if package in sys.modules:
        return
    spec = importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    loader, module = spec.loader, importlib.util.module_from_spec(spec)

    def load(name: str) -> Any:
        if module.__dict__.pop("__getattr__", None):
            try:
                loader.exec_module(module)
            except BaseException:
                module.__dict__["__getattr__"] = load  # The next use fails with the same error, or succeeds.
                raise
        return getattr(module, name)

    module.__dict__["__getattr__"] = load  # Called for names that the module does not have (PEP 562).
    sys.modules[package] = module
    parent, _, name = package.rpartition(".")
    if parent:
        setattr(sys.modules[parent], name, module)


def run_deferred(package: str) -> None:
    """Runs the `__init__` of a package, unless it has run."""
    hasattr(importlib.import_module(package), "__all__")
