"""Imports without optional packages, and packages whose `__init__` runs when it is used."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainer.jobs.light_imports import defer, run_deferred, without

INIT = """\
import sys
sys.runs = getattr(sys, "runs", 0) + 1
from lazy_parent.lazy.inner import VALUE
OWN = VALUE + 1
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package below another one; its `__init__` counts its runs in `sys.runs`."""
    folder = tmp_path / "lazy_parent" / "lazy"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").write_text(INIT)
    (folder / "inner.py").write_text("VALUE = 41\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "runs", 0, raising=False)
    yield "lazy_parent.lazy"
    for name in [name for name in sys.modules if name.startswith("lazy_parent")]:
        del sys.modules[name]


def runs() -> int:
    return int(vars(sys)["runs"])


def test_submodules_of_a_deferred_package_are_imported_without_it(package: str) -> None:
    defer(package)
    assert importlib.import_module(f"{package}.inner").VALUE == 41
    assert runs() == 0


def test_a_deferred_package_runs_once_when_a_name_is_used(package: str) -> None:
    defer(package)
    module = importlib.import_module(package)
    assert (module.OWN, module.OWN, runs()) == (42, 42, 1)
    assert module is importlib.import_module("lazy_parent").lazy
    with pytest.raises(AttributeError, match="has no attribute 'missing'"):
        _ = module.missing
    assert runs() == 1


def test_a_deferred_package_that_fails_does_so_at_each_use_until_it_can_run(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    defer(package)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, f"{package}.inner", None)
        for _ in range(2):
            with pytest.raises(ImportError):
                _ = importlib.import_module(package).OWN
    assert (importlib.import_module(package).OWN, runs()) == (42, 3)


def test_names_are_imported_from_a_deferred_package(package: str) -> None:
    defer(package)
    found: dict[str, int] = {}
    exec(f"from {package} import OWN", found)
    assert (found["OWN"], runs()) == (42, 1)


def test_a_deferred_package_runs_on_request(package: str) -> None:
    defer(package)
    run_deferred(package)
    run_deferred(package)
    assert (runs(), vars(sys.modules[package])["OWN"]) == (1, 42)


def test_an_imported_package_is_left_alone(package: str) -> None:
    module = importlib.import_module(package)
    defer(package)
    assert importlib.import_module(package) is module
    assert runs() == 1


def test_an_unknown_package_cannot_be_deferred() -> None:
    with pytest.raises(ModuleNotFoundError, match="unknown_package"):
        defer("unknown_package")


def test_modules_are_missing_in_the_context_only(package: str) -> None:
    with without((package, "json")):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"{package}.inner")
        assert importlib.import_module("json") is sys.modules["json"]
    assert importlib.import_module(f"{package}.inner").VALUE == 41


def test_tensorflow_comes_without_keras_which_follows_when_it_is_used() -> None:
    code = """
import sys
from trainer.jobs.light_imports import import_tensorflow
import_tensorflow()
assert "tensorflow" in sys.modules
assert not {name.partition(".")[0] for name in sys.modules} & {"keras", "IPython", "sklearn", "googleapiclient"}
import tensorflow as tf
assert tf.keras.optimizers.Adam(0.5).learning_rate == 0.5
from tensorflow.keras.layers import Dense
import keras
assert Dense is keras.layers.Dense is tf.keras.layers.Dense
"""
    # TensorFlow Transform sets it for its own Keras 2, and `tf.keras` would then be that one.
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parents[3], env=environment)
