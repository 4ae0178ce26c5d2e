"""Imports point down and form no circles, names and folders stay clear, and the command line starts fast."""

from __future__ import annotations

import ast
import itertools
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ["schema", "trainer", "components", "pipeline"]
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
ROLES = {"__init__", "component", "executor", "settings", "model", "training", "servable", "metrics", "answers"}
"""Names of files that occur once in each folder that has the role."""

DOUBLE_FILES = {"job": 2}
DOUBLE_CLASSES = {
    "Counts": 3,
    "Coverage": 2,
    "Model": 2,
    "Monitor": 2,
    "NgramSettings": 2,
    "Servable": 4,
    "_Reader": 2,
    "_Row": 2,
}
"""Known names that occur several times; the lists only ever shrink."""

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


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def load_time_imports(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that a module imports when it is loaded or only for type checkers; not those inside functions."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield str(node.module)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for block in ("body", "orelse", "handlers", "finalbody"):
                yield from load_time_imports(getattr(node, block, ()))


def find_circle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_no_imports_form_a_circle_not_even_for_type_checkers() -> None:
    names = {module_name(path) for path in MODULES}
    graph = {
        module_name(path): names.intersection(load_time_imports(ast.parse(path.read_text()).body)) for path in MODULES
    }
    assert sum(map(len, graph.values())) > len(names)
    assert " -> ".join(find_circle(graph)) == ""


def test_a_circle_is_found_wherever_its_imports_stand() -> None:
    sources = {
        "a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from b import B",
        "b": "try:\n    import c\nexcept ImportError:\n    pass",
        "c": "class C:\n    import a",
        "d": "def late():\n    import a",
    }
    graph = {name: sources.keys() & set(load_time_imports(ast.parse(text).body)) for name, text in sources.items()}
    assert graph == {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()}
    circle = find_circle(graph)
    assert circle[0] == circle[-1]
    assert all(after in graph[before] for before, after in itertools.pairwise(circle))


def test_no_folder_has_more_than_15_entries() -> None:
    folders = defaultdict(set)
    for layer in LAYERS:
        for path in (ROOT / layer).rglob("*"):
            if "__pycache__" not in path.parts:
                folders[path.parent.relative_to(ROOT).as_posix()].add(path.name)
    assert {folder: len(entries) for folder, entries in folders.items() if len(entries) > 15} == {}


def test_names_of_files_and_classes_occur_once() -> None:
    files, classes = defaultdict(list), defaultdict(list)
    for path in MODULES:
        files[path.stem].append(module_name(path))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(module_name(path))
    double_files = {name: found for name, found in files.items() if len(found) > 1 and name not in ROLES}
    double_classes = {name: found for name, found in classes.items() if len(found) > 1 and name != "Executor"}
    assert {name: len(found) for name, found in double_files.items()} == DOUBLE_FILES, double_files
    assert {name: len(found) for name, found in double_classes.items()} == DOUBLE_CLASSES, double_classes


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
