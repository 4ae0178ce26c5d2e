"""Reads YAML and `--set` overrides as plain data, with the location of each value."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias

import ruamel.yaml
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from trainer.errors import JobError
from trainer.text.suggestions import closest

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_MAX_DEPTH = 100
_SHOWN_CHARS = 200
_LOGIN = re.compile(r"(?<=://).*:.*@", re.DOTALL)
"""The user and the password of a URL, whatever characters they have."""

_MAX_VALUES = 50_000
"""A limit is needed because nested aliases can multiply a few lines into billions of values."""


class _Resolver(ruamel.yaml.resolver.VersionedResolver):
    """Types plain scalars like YAML 1.2, but without octal and hexadecimal numbers and dates: `010` is text."""

    versioned_resolver: ClassVar[dict[None, list[tuple[str, re.Pattern[str]]]]] = {
        None: [
            (f"{_TAG}null", re.compile(r"(~|null|Null|NULL|)$")),
            (f"{_TAG}bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$")),
            (f"{_TAG}int", re.compile(r"[-+]?(0|[1-9][0-9_]*)$")),
            (
                f"{_TAG}float",
                re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*\.[0-9]*|[0-9][0-9_]*(?=[eE]))([eE][-+]?[0-9]+)?$"),
            ),
            (f"{_TAG}float", re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$")),
        ]
    }


@dataclasses.dataclass
class Source:
    """Data read from YAML, with the location of each key.

    Attributes:
        name: The file's name, for messages.
        data: The mapping that was read.
        locations: File and line, or the override, of each key path.
        problems: Errors in the text itself: duplicate keys, values that do not match their tags.
        unreadable: Key paths whose values cannot be read; their data is meaningless.
        as_written: Key paths of lists and mappings of text, in which True, +1 and 1.50 mean that text.
    """

    name: str
    data: dict[str, Value] = dataclasses.field(default_factory=dict)
    locations: dict[KeyPath, str] = dataclasses.field(default_factory=dict)
    problems: list[JobError] = dataclasses.field(default_factory=list)
    unreadable: set[KeyPath] = dataclasses.field(default_factory=set)
    as_written: Collection[KeyPath] = ()

    def where(self, path: KeyPath) -> str:
        """Returns the location of a key path, or of its nearest parent in the text, followed by the path."""
        keys = ".".join(str(key) for key in path)
        location = next(self.locations[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.locations)
        return f"{location}, {keys}" if keys and not location.startswith("--set ") else location


def read(path: Path, as_written: Collection[KeyPath] = ()) -> Source:
    """Reads a YAML file.

    Args:
        path: The file.
        as_written: See `Source`.

    Raises:
        JobError: If the file is not a readable YAML mapping.
    """
    text = _text(path)
    source = Source(str(path), locations={(): f"{path}:1"}, as_written=as_written)
    node = _compose(text, str(path))
    if node is None:
        expected = "a mapping that starts with `name:` and `task:`"
        raise JobError("The configuration is empty.", where=str(path), expected=expected)
    data = _Reader(source).read(node, ())
    if not isinstance(data, dict):
        where, expected = f"{path}:{node.start_mark.line + 1}", "`key: value` lines that start with `name:` and `task:`"
        raise JobError("The configuration is not a mapping.", where=where, found=describe(data), expected=expected)
    source.data = data
    return source


def override(source: Source, overrides: Sequence[str]) -> None:
    """Applies `KEY.PATH=VALUE` overrides, with values in YAML, to a source, and adds their errors to its problems."""
    for text in overrides:
        try:
            _override(source, text)
        except JobError as error:
            source.problems.append(error)


def describe(value: Value) -> str:
    """Formats a value for a message, with its type unless that is obvious."""
    if isinstance(value, dict):
        return f"a mapping with the keys {_start(', '.join(value))}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing (null)"
    if isinstance(value, str):
        return f'the text "{_start(value)}"'
    return str(value).lower() if isinstance(value, bool) else _start(str(value))


def _start(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."


def _text(path: Path) -> str:
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        raise JobError("The configuration's path is not UTF-8.", where=ascii(str(path)), fix="rename it") from None
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        names = _file_names(path.parent)
        yamls = [name for name in names if name.endswith((".yaml", ".yml"))]
        near = closest(path.name, yamls) or closest(path.name, names)
        if not path.parent.is_dir():
            fix = f"the folder {path.parent} does not exist"
        elif near:
            fix = f"did you mean {path.parent / near}?"
        else:
            fix = "YAML files there: " + ", ".join(sorted(yamls)) if yamls else f"{path.parent} has no YAML file"
        raise JobError("The configuration file does not exist.", where=str(path), fix=fix) from None
    except IsADirectoryError:
        names = sorted(name for name in _file_names(path) if name.endswith((".yaml", ".yml")))
        fix = f"name one of its files: {', '.join(names)}" if names else "name a YAML file; this folder has none"
        raise JobError("The configuration is a folder, not a file.", where=str(path), fix=fix) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        found, fix = f"the byte 0x{error.object[error.start]:02x}", "save the file as UTF-8"
        raise JobError("The configuration is not UTF-8.", where=f"{path}:{line}", found=found, fix=fix) from None
    except OSError as error:
        raise JobError("The configuration cannot be read.", where=str(path), found=error.strerror) from None


def _file_names(folder: Path) -> list[str]:
    """Returns the names of the files in a folder; none if it cannot be listed."""
    try:
        return [path.name for path in folder.iterdir() if path.is_file()]
    except OSError:
        return []


def _loader() -> ruamel.yaml.YAML:
    loader = ruamel.yaml.YAML(typ="safe", pure=True)
    loader.Resolver, loader.max_depth = _Resolver, _MAX_DEPTH
    loader.composer.warn_double_anchors = False
    return loader


def _compose(text: str, name: str) -> Node | None:
    try:
        node: Node | None = _loader().compose(text)
    except ruamel.yaml.reader.ReaderError as error:
        line, column = text.count("\n", 0, error.position) + 1, error.position - text.rfind("\n", 0, error.position)
        raise JobError(
            "The YAML has an invalid character.",
            where=f"{name}:{line}:{column}",
            found=f"the character U+{error.character:04X}",
            fix=r'remove it, or write it in double quotes as an escape such as "\x07"',
        ) from None
    except ruamel.yaml.error.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        if isinstance(error, ruamel.yaml.composer.MaxDepthExceededError):
            expected = f"at most {_MAX_DEPTH} levels"
            raise JobError("The YAML is nested too deeply.", where=where, expected=expected) from None
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        tab = "'\\t'" in problem
        fix = "indent with spaces, not tabs" if tab else "check the indentation, quotes and brackets on that line"
        raise JobError("The YAML is invalid.", where=where, found=problem, fix=fix) from None
    return node


class _Reader:
    """Turns the nodes of one YAML text into data, and records the location of each key.

    Args:
        source: Receives the locations and the problems.
        location: The location of all values, if they are not lines of the source.
    """

    def __init__(self, source: Source, location: str | None = None) -> None:
        self._source, self._location = source, location
        self._construct = ruamel.yaml.constructor.SafeConstructor(loader=_loader()).construct_object
        self._open: list[Node] = []
        self._values = 0

    def read(self, node: Node, path: KeyPath) -> Value:
        """Returns the data of a node at a key path; raises JobError if there is too much of it."""
        self._values += 1
        if self._values > _MAX_VALUES:
            fix = "write the values out; nested aliases multiply them"
            raise JobError("The YAML is too large.", where=self._at(node), expected=f"{_MAX_VALUES:,} values", fix=fix)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if node in self._open:
            return self._unreadable("An alias contains itself.", node, path, fix="write the value out")
        if node.tag not in {f"{_TAG}map", f"{_TAG}seq"}:
            return self._unreadable("A YAML tag is unknown.", node, path, found=str(node.tag), fix="remove the tag")
        self._open.append(node)
        result: Value
        if isinstance(node, MappingNode):
            result = self._mapping(node, path)
        else:
            self._source.locations.update({(*path, index): self._at(item) for index, item in enumerate(node.value)})
            result = [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        self._open.pop()
        return result

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Value]:
        result: dict[str, Value] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._problem("A key is not plain text.", key_node, path, expected="a name, for example `epochs: 4`")
                continue
            key = self._text(key_node, path)
            inner = (*path, key)
            if key in result:
                first = self._source.locations[inner]
                self._problem(f'The key "{key}" is duplicated.', key_node, inner, found=f"the first is at {first}")
                continue
            self._source.locations[inner] = self._at(key_node)
            result[key] = self.read(value_node, inner)
        return result

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Value:
        is_text = node.tag != f"{_TAG}null" and any(path[:n] in self._source.as_written for n in range(len(path)))
        if is_text or node.tag == f"{_TAG}str":
            return self._text(node, path)
        try:
            value = self._construct(node)
            if value is None or (isinstance(value, int | float) and math.isfinite(value)):
                return value
        except (ruamel.yaml.error.YAMLError, ValueError, KeyError):
            value = node.value
        except OverflowError:
            value = math.inf
        if isinstance(value, float):
            found = _start(node.value)
            return self._unreadable("A number is not finite.", node, path, found=found, expected="a finite number")
        found = f"{_start(node.value)} tagged {node.tag}"
        return self._unreadable("A value does not match its YAML tag.", node, path, found=found, fix="remove the tag")

    def _text(self, node: ScalarNode, path: KeyPath) -> str:
        try:
            # JSON, which is valid YAML, writes a character beyond U+FFFF as two escapes.
            return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._unreadable("A string has an unpaired surrogate.", node, path, found=ascii(node.value))
            return ascii(node.value)

    def _at(self, node: Node) -> str:
        return self._location or f"{self._source.name}:{node.start_mark.line + 1}"

    def _problem(self, what: str, node: Node, path: KeyPath, **details: str) -> None:
        where = self._at(node)
        if path and not self._location:
            where += ", " + ".".join(map(str, path))
        self._source.problems.append(JobError(what, where=where, **details))

    def _unreadable(self, what: str, node: Node, path: KeyPath, **details: str) -> Value:
        self._source.unreadable.add(path)
        self._problem(what, node, path, **details)
        return None


def _override(source: Source, text: str) -> None:
    keys, equals, value_text = text.partition("=")
    location = f"--set {_LOGIN.sub('***@', text)}"
    path = tuple(keys.strip().split("."))
    if not equals or not all(path):
        raise JobError("An override is not KEY=VALUE.", where=location, expected="for example --set trainer.epochs=3")
    if not value_text.strip():
        raise JobError("An override has no value.", where=location, fix=f"write --set {keys}=null for no value")
    node = _compose(value_text, location)
    holder = source.data
    for depth, key in enumerate(path[:-1], start=1):
        inner = holder.get(key)
        if inner is None:
            inner = holder[key] = {}
            source.locations[path[:depth]] = location
        if not isinstance(inner, dict):
            raise JobError(f"{'.'.join(path[:depth])} is not a section.", where=location, found=describe(inner))
        holder = inner
    for known in [known for known in source.locations if known[: len(path)] == path]:
        del source.locations[known]
    source.locations[path] = location
    holder[path[-1]] = None if node is None else _Reader(source, location).read(node, path)
