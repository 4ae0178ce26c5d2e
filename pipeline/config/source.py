"""YAML and `--set` overrides as plain data that knows where each value was written."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import yaml

from pipeline.config.suggestions import closest
from trainer.errors import JobError

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9][0-9_]*\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_NULL = re.compile(r"~|null|Null|NULL|")


class _Loader(yaml.SafeLoader):
    """Reads plain scalars as YAML 1.2 does: `no` is a word, `1e-3` a number, `2024-01-01` a string."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        None: [
            (f"{_TAG}{name}", re.compile(f"^(?:{pattern.pattern})$"))
            for name, pattern in (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT))
        ]
    }


@dataclasses.dataclass
class Source:
    """Data read from YAML, and where each key was written.

    Attributes:
        name: The file's name as shown in messages.
        data: The mapping that was read.
        places: File and line (or the override) of each key path.
        problems: What is wrong with the text itself: duplicate keys, values out of YAML's types.
        unreadable: The key paths whose values could not be read; their data means nothing.
    """

    name: str
    data: dict[str, Value] = dataclasses.field(default_factory=dict)
    places: dict[KeyPath, str] = dataclasses.field(default_factory=dict)
    problems: list[JobError] = dataclasses.field(default_factory=list)
    unreadable: set[KeyPath] = dataclasses.field(default_factory=set)

    def where(self, path: KeyPath) -> str:
        """The place of a key path, or of its nearest parent that was written, and the path itself."""
        keys = ".".join(str(key) for key in path)
        known = next(path[:size] for size in range(len(path), -1, -1) if path[:size] in self.places)
        place = self.places[known]
        return f"{place}, {keys}" if keys and not place.startswith("--set ") else place


def read(path: Path) -> Source:
    """Reads a YAML file.

    Args:
        path: The file.

    Returns:
        Its data with the place of every key; duplicate keys and the like are in `problems`.

    Raises:
        JobError: If there is no readable YAML mapping in the file.
    """
    text = _text(path)
    source = Source(str(path), places={(): f"{path}:1"})
    node = _compose(text, str(path))
    if node is None:
        raise JobError(
            "The configuration is empty.", where=str(path), expected="a mapping that starts with `name:` and `task:`"
        )
    data = _Reader(source, node).value()
    if not isinstance(data, dict):
        raise JobError(
            "The configuration is not a mapping.",
            where=f"{path}:{node.start_mark.line + 1}",
            found=f"{describe(data)}",
            expected="`key: value` lines, the first of them `name:` and `task:`",
        )
    source.data = data
    return source


def override(source: Source, overrides: Sequence[str]) -> None:
    """Applies `KEY.PATH=VALUE` overrides to a source, in order; the values are read as YAML.

    Args:
        source: The source to change; what is wrong with an override is added to its problems.
        overrides: The overrides as given on the command line.
    """
    for text in overrides:
        try:
            _override(source, text)
        except JobError as error:
            source.problems.append(error)


def describe(value: Value) -> str:
    """A value as a message shows it: the value and, where that is not plain, its type."""
    if isinstance(value, dict):
        return "a mapping with the keys " + ", ".join(value) if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing (null)"
    if isinstance(value, str):
        return f'the text "{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        names = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
        yamls = [name for name in names if name.endswith((".yaml", ".yml"))]
        near = closest(path.name, yamls) or closest(path.name, names)
        if not path.parent.is_dir():
            fix = f"the folder {path.parent} does not exist"
        elif near:
            fix = f"did you mean {path.parent / near}?"
        else:
            fix = "YAML files there: " + ", ".join(sorted(yamls)) if yamls else f"{path.parent} holds no YAML file"
        raise JobError("There is no such configuration file.", where=str(path), fix=fix) from None
    except IsADirectoryError:
        names = sorted(p.name for p in path.iterdir() if p.suffix in {".yaml", ".yml"})
        fix = f"name one of its files: {', '.join(names)}" if names else "name a YAML file; it holds none"
        raise JobError("The configuration is a folder, not a file.", where=str(path), fix=fix) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise JobError(
            "The configuration is not UTF-8.",
            where=f"{path}:{line}",
            found=f"the byte 0x{error.object[error.start]:02x}",
            fix="save the file as UTF-8",
        ) from None
    except OSError as error:
        raise JobError("The configuration cannot be read.", where=str(path), found=error.strerror) from None


def _compose(text: str, name: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line, column = text.count("\n", 0, error.position) + 1, error.position - text.rfind("\n", 0, error.position)
        raise JobError(
            "The YAML holds a character that YAML does not allow.",
            where=f"{name}:{line}:{column}",
            found=f"the character U+{int(error.character):04X}",
            fix=r'remove it, or write it in double quotes as an escape such as "\x07"',
        ) from None
    except RecursionError:
        raise JobError("The YAML is nested too deep.", where=name, fix="flatten it") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        fix = "indent with spaces, not tabs" if "'\\t'" in problem else "mind indentation, quotes and brackets there"
        raise JobError("The YAML is broken.", where=where, found=problem, fix=fix) from None


class _Reader:
    """Turns one composed node into data and notes the places of its keys."""

    def __init__(self, source: Source, node: yaml.Node, root: KeyPath = (), place: str | None = None) -> None:
        self._source, self._node, self._root, self._place = source, node, root, place
        self._open: set[int] = set()

    def value(self) -> Value:
        return self._read(self._node, self._root)

    def _at(self, node: yaml.Node) -> str:
        return self._place or f"{self._source.name}:{node.start_mark.line + 1}"

    def _unreadable(self, what: str, node: yaml.Node, path: KeyPath, **details: str) -> None:
        self._source.unreadable.add(path)
        self._problem(what, node, path, **details)

    def _problem(self, what: str, node: yaml.Node, path: KeyPath, **details: str) -> None:
        keys = ".".join(str(key) for key in path)
        where = self._place or (f"{self._at(node)}, {keys}" if keys else self._at(node))
        self._source.problems.append(JobError(what, where=where, **details))

    def _read(self, node: yaml.Node, path: KeyPath) -> Value:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self._unreadable("An alias points into itself.", node, path, fix="write the value out")
            return None
        if node.tag not in {f"{_TAG}map", f"{_TAG}seq"}:
            self._unreadable("A YAML tag is not known.", node, path, found=str(node.tag), fix="remove the tag")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _item(self, node: yaml.Node, path: KeyPath) -> Value:
        self._source.places[path] = self._at(node)
        return self._read(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Value]:
        result: dict[str, Value] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem("A key is not plain text.", key_node, path, expected="a name, as in `epochs: 4`")
                continue
            key = self._string(key_node, path)
            inner = (*path, key)
            if key in result:
                first = self._source.places[inner]
                self._problem(f'The key "{key}" is written twice.', key_node, inner, found=f"the first is at {first}")
                continue
            self._source.places[inner] = self._at(key_node)
            result[key] = self._read(value_node, inner)
        return result

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Value:
        text = str(node.value)
        kind = str(node.tag).removeprefix(_TAG)
        if kind == "str":
            return self._string(node, path)
        if kind in {"int", "float"} and (_FLOAT.fullmatch(text) or _INT.fullmatch(text)):
            return self._number(node, path)
        if kind == "bool" and _BOOL.fullmatch(text):
            return text.lower() == "true"
        if kind != "null" or not _NULL.fullmatch(text):
            found = f"{text} tagged {node.tag}"
            self._unreadable("A value does not fit its YAML tag.", node, path, found=found, fix="remove the tag")
        return None

    def _string(self, node: yaml.ScalarNode, path: KeyPath) -> str:
        try:
            # JSON, which is YAML too, writes a character beyond U+FFFF as two escapes.
            return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._unreadable("A text holds half of a surrogate pair.", node, path, found=ascii(node.value))
            return ascii(node.value)

    def _number(self, node: yaml.ScalarNode, path: KeyPath) -> int | float:
        text = str(node.value).replace("_", "").lower()
        if node.tag == f"{_TAG}int" and _INT.fullmatch(text) and len(text) < 400:
            return int(text)
        number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            self._unreadable("A number is not finite.", node, path, found=node.value, expected="a finite number")
        return number


def _override(source: Source, text: str) -> None:
    keys, equals, value_text = text.partition("=")
    place = f"--set {text}"
    path = tuple(keys.strip().split("."))
    if not equals or not all(path):
        raise JobError("An override is not KEY=VALUE.", where=place, expected="for example --set trainer.epochs=3")
    if not value_text.strip():
        raise JobError("An override has no value.", where=place, fix=f"write --set {keys}=null for no value")
    node = _compose(value_text, place)
    holder = source.data
    for depth, key in enumerate(path[:-1], start=1):
        inner = holder.get(key)
        if inner is None:
            inner = holder[key] = {}
            source.places[path[:depth]] = place
        if not isinstance(inner, dict):
            section = ".".join(path[:depth])
            raise JobError("An override reaches into a value.", where=place, found=f"{section} is {describe(inner)}")
        holder = inner
    for known in [known for known in source.places if known[: len(path)] == path]:
        del source.places[known]
    source.places[path] = place
    holder[path[-1]] = None if node is None else _Reader(source, node, path, place).value()
