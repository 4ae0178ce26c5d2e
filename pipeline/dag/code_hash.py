"""Digests the code behind a module: TFX's cache identifies code only by dotted path, so it would miss edits."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("pipeline", "components", "trainer", "schema")


def source_hash(*modules: str) -> str:
    """Returns a digest of modules and of all modules of this project that they import, directly or indirectly."""
    digest = hashlib.sha256()
    for name, source in sorted(code_closure(*modules).items()):
        digest.update(f"{name} {len(source)}\n".encode() + source)
    return digest.hexdigest()[:16]


def code_closure(*modules: str) -> dict[str, bytes]:
    """Returns the sources of modules and of all modules of this project that they import, by dotted name."""
    seen: dict[str, bytes] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if path is None or name in seen:
            continue
        seen[name] = path.read_bytes()
        waiting += _imports(name, seen[name])
    return seen


def imported_packages(sources: Mapping[str, bytes]) -> set[str]:
    """Returns the top-level names of all packages that modules import; `sources` has their sources by dotted name."""
    return {found.partition(".")[0] for name, source in sources.items() for found in _imports(name, source)}


def _file(module: str) -> Path | None:
    """Returns the file of a module of this project; None for anything else, such as a class in a module."""
    if module.partition(".")[0] not in _PACKAGES:
        return None
    base = _ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


@functools.cache
def _imports(module: str, source: bytes) -> list[str]:
    """Returns names that may be modules: `from a import b` yields both `a` and `a.b`."""
    names = [module.rpartition(".")[0]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name]
