"""Only a task's own folder and its declaration name it: what a new task has to touch."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TASKS = ("classifier", "tagger", "word2vec")
FILES = sorted(
    path for layer in ("pipeline", "components", "trainer", "schema") for path in (ROOT / layer).rglob("*.py")
)
OWN = ("pipeline/tasks/", *(f"trainer/{task}/" for task in TASKS))
SHARED = [path for path in FILES if not str(path.relative_to(ROOT)).startswith(OWN)]
NAMES = re.compile("|".join(TASKS), re.IGNORECASE)
FORMAT = re.compile(r"word2vec('s)? or GloVe")
"""The file format is named after the tool that made it known."""


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_documentation(node: ast.AST) -> bool:
    """Whether a statement is a docstring, or a string that explains the attribute above it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yields names: identifiers, and strings that are not documentation."""
    documentation = {id(node.value) for node in ast.walk(tree) if is_documentation(node)}  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        texts: list[str | None] = []
        if isinstance(node, ast.Name):
            texts = [node.id]
        elif isinstance(node, ast.Attribute):
            texts = [node.attr]
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            texts = [node.name]
        elif isinstance(node, (ast.arg, ast.keyword)):
            texts = [node.arg]
        elif isinstance(node, ast.alias):
            texts = [node.name, node.asname]
        elif isinstance(node, ast.ImportFrom):
            texts = [node.module]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            texts = [FORMAT.sub("", node.value)]
        yield from ((getattr(node, "lineno", 0), text) for text in texts if text)


@pytest.mark.parametrize("path", SHARED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shared_code_names_no_task(path: Path) -> None:
    tree = ast.parse(path.read_text())
    where = path.relative_to(ROOT)
    assert [f"{where}:{line}: {text}" for line, text in named(tree) if NAMES.search(text)] == []
    if not str(where).startswith("pipeline/"):
        assert not [name for name in imports(tree) if name.startswith(tuple(f"trainer.{task}" for task in TASKS))]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_imports_no_other(task: str) -> None:
    others = tuple(f"trainer.{other}" for other in TASKS if other != task)
    for path in sorted((ROOT / "trainer" / task).rglob("*.py")):
        assert not [name for name in imports(ast.parse(path.read_text())) if name.startswith(others)], path


def test_the_rule_finds_violations() -> None:
    lines = ['"""A classifier."""', "from trainer.tagger import model", 'x = "a tagger"', "class Word2vecThing: ..."]
    found = [line for line, text in named(ast.parse("\n".join([*lines, "word2vec = x.tagger"]))) if NAMES.search(text)]
    assert sorted(found) == [2, 3, 4, 5, 5]
