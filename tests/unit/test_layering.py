"""Imports point down without circles, names and folders stay clear, and light modules import nothing heavy."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ["schema", "trainer", "components", "pipeline"]
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
ROLES = {"__init__", "component", "executor", "settings", "model", "training", "servable", "metrics", "answers"}
"""Names of files that occur once in each folder that has the role."""

HEAVY = {"tensorflow", "keras", "tfx", "apache_beam", "tensorflow_transform", "tensorflow_model_analysis"}


def imports(node: ast.AST, skip: Callable[[ast.AST], bool]) -> Iterator[str]:
    """Yields the names that a tree imports, modules and what is taken from them, except in nodes to skip."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are absolute"
        yield from (str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names))
    for child in ast.iter_child_nodes(node):
        if not skip(child):
            yield from imports(child, skip)


def in_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))


def for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imported_tops(path: Path, skip: Callable[[ast.AST], bool] = lambda node: False) -> set[str]:
    return {name.partition(".")[0] for name in imports(ast.parse(path.read_text()), skip)}


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_downwards(layer: str) -> None:
    found = {path: imported_tops(path) for path in MODULES if path.relative_to(ROOT).parts[0] == layer}
    above = {*LAYERS[LAYERS.index(layer) + 1 :], "bench", "tests", "configs"}
    assert {path: tops & above for path, tops in found.items() if tops & above} == {}
    used = {"components": {"trainer"}, "pipeline": {"components"}}.get(layer, set())
    assert used <= set().union(*found.values())


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_imports_have_no_cycles_not_even_for_type_checkers() -> None:
    names = {module_name(path) for path in MODULES}
    graph = {
        module_name(path): names.intersection(imports(ast.parse(path.read_text()), in_function)) for path in MODULES
    }
    assert sum(map(len, graph.values())) > len(names)
    # Raises an error that names the circle, if there is one.
    TopologicalSorter(graph).prepare()


def test_no_folder_has_more_than_15_entries() -> None:
    folders = defaultdict(set)
    for layer in (*LAYERS, "bench"):
        for path in (ROOT / layer).rglob("*"):
            if "__pycache__" not in path.parts:
                folders[path.parent.relative_to(ROOT).as_posix()].add(path.name)
    assert {folder: len(entries) for folder, entries in folders.items() if len(entries) > 15} == {}


def type_names(tree: ast.Module) -> Iterator[str]:
    """Yields the names of classes, and of type aliases: module-level names that begin with a capital letter."""
    yield from (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    targets = [target for node in tree.body for target in getattr(node, "targets", [getattr(node, "target", None)])]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    yield from (name for name in names if name[0].isupper() and not name.isupper())


def test_names_of_files_and_types_occur_once() -> None:
    found = defaultdict(list)
    for path in MODULES:
        found[path.stem].append(module_name(path))
        for name in type_names(ast.parse(path.read_text())):
            found[f"type {name}"].append(module_name(path))
    assert {"type Counts", "type Arrays"} <= found.keys()
    assert {name: modules for name, modules in found.items() if len(modules) > 1 and name not in ROLES} == {}


def test_trainer_imports_neither_beam_nor_tfx() -> None:
    found = {path: imported_tops(path, for_type_checkers) for path in (ROOT / "trainer").rglob("*.py")}
    assert {path: tops for path, tops in found.items() if tops & {"apache_beam", "tfx", "tfx_bsl"}} == {}


def test_configuration_command_line_and_metrics_import_nothing_heavy() -> None:
    light = [*(ROOT / "components").glob("*/settings.py"), *(ROOT / "trainer").glob("*/metrics.py")]
    names = [module_name(path) for path in light]
    assert {"components.corpus_example_gen.settings", "trainer.word2vec.metrics"} <= set(names)
    names += ["pipeline.config.job", "pipeline.cli.app", "trainer.settings", "trainer.errors", "trainer.jobs.progress"]
    code = f"import json, sys, {', '.join(names)}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "pydantic" in loaded
    assert loaded & HEAVY == set()
