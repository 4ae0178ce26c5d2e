"""Imports point downwards only, and the command line starts without TensorFlow."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ["schema", "trainer", "components", "pipeline"]
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
HEAVY = {"tensorflow", "keras", "tfx", "apache_beam", "tensorflow_transform", "tensorflow_model_analysis"}


def run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below one, but not what stands there for type checkers only."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        return
    for child in ast.iter_child_nodes(node):
        yield from run_nodes(child)


def imports(path: Path, *, only_run: bool = False) -> Iterator[str]:
    """Absolute names of what a file imports, wherever in it the import stands."""
    package = path.relative_to(ROOT).parent.parts
    tree = ast.parse(path.read_text())
    for node in run_nodes(tree) if only_run else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join([*base, *filter(None, [node.module])])


def imported_tops(path: Path, *, only_run: bool = False) -> set[str]:
    return {name.partition(".")[0] for name in imports(path, only_run=only_run)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    above = {*LAYERS[LAYERS.index(layer) + 1 :], "bench", "tests", "configs"}
    assert imported_tops(path) & above == set()


def test_the_layers_do_use_each_other() -> None:
    used: dict[str, set[str]] = {layer: set() for layer in LAYERS}
    for path in MODULES:
        used[path.relative_to(ROOT).parts[0]] |= imported_tops(path) & set(LAYERS)
    assert "components" in used["pipeline"]
    assert "trainer" in used["components"]


@pytest.mark.parametrize("path", sorted((ROOT / "trainer").rglob("*.py")), ids=lambda path: path.name)
def test_trainer_knows_neither_beam_nor_tfx(path: Path) -> None:
    assert imported_tops(path, only_run=True) & {"apache_beam", "tfx", "tfx_bsl"} == set()


def test_configuration_and_command_line_import_nothing_heavy() -> None:
    settings = sorted((ROOT / "components").glob("*/settings.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in settings]
    assert "components.corpus_example_gen.settings" in names
    names += ["pipeline.config.job", "pipeline.cli.app", "trainer.settings", "trainer.errors", "trainer.progress"]
    code = f"import json, sys, {', '.join(names)}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "pydantic" in loaded
    assert loaded & HEAVY == set()
