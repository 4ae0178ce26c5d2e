"""Differences between what two executions of a component depend on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pipeline.dag.code_state import CodeState
from pipeline.runners.causes.facts import ExecutionFacts, Input

Kind = Literal["file", "setting", "code", "package", "input", "beam"]

_UNNAMED = {"file", "code"}
"""The kinds of which ML Metadata has only a digest."""


class Difference(NamedTuple):
    """A difference.

    Attributes:
        kind: What differs.
        name: A file, a dotted key, a module, a distribution, a channel or a flag.
        old: The earlier value as text, None if there was none.
        new: The value now.
    """

    kind: Kind
    name: str
    old: str | None
    new: str | None

    @property
    def clause(self) -> str:
        """The difference in words, without the earlier run."""
        if self.kind in _UNNAMED:
            what = {"file": f"the file {self.name}", "code": f"the code of {self.name}"}[self.kind]
            return f"{what} {'is new' if self.old is None else 'is gone' if self.new is None else 'has changed'}"
        what = f"its input {self.name}" if self.kind == "input" else self.name
        return f"{what} is {_or_unset(self.new)}, was {_or_unset(self.old)}"


def differences(old: ExecutionFacts, new: ExecutionFacts) -> list[Difference]:
    """Returns what differs between an earlier execution and one that would start now.

    Files and code are one difference each, because only their digests are at hand; `changed_files` and `changed_code`
    name them.
    """
    found = [Difference("file", *each) for each in _changed(old.files, new.files)]
    found += [Difference("setting", name, _text(a), _text(b)) for name, a, b in _changed(old.settings, new.settings)]
    if old.code != new.code:
        found.append(Difference("code", "the component", old.code, new.code))
    if old.inputs is not None and new.inputs is not None:
        for name, before, now in _changed(old.inputs, new.inputs):
            found.append(Difference("input", name, _origin(before), _origin(now)))
    if old.beam is not None and new.beam is not None:
        found += [Difference("beam", *each) for each in _changed(_flags(old.beam), _flags(new.beam))]
    return found


def nearest(earlier: Sequence[ExecutionFacts], new: ExecutionFacts) -> int:
    """Returns the index of the execution with the fewest differences, the latest of several; `earlier` is in order."""
    return min(range(len(earlier)), key=lambda index: (len(differences(earlier[index], new)), -index))


def changed_files(old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]]) -> list[Difference]:
    """Returns the files that differ, each given by its name and content; a name may occur several times."""
    return [Difference("file", *each) for each in _changed(_by_name(old), _by_name(new))]


def changed_code(old: CodeState, new: CodeState) -> list[Difference]:
    """Returns the modules and the packages that differ."""
    modules = [Difference("code", *each) for each in _changed(old.modules, new.modules)]
    return modules + [Difference("package", *each) for each in _changed(old.packages, new.packages)]


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yields the keys with different values or without one, sorted; None for no value."""
    for key in sorted({**new, **old}):
        if key not in old or key not in new or _text(old[key]) != _text(new[key]):
            yield key, old.get(key), new.get(key)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _by_name(files: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, content in files:
        found[name] = f"{found[name]} {content}" if name in found else content
    return found


def _flags(flags: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for flag in flags:
        name, _, value = flag.partition("=")
        found[name] = f"{found[name]} {value}" if name in found else value
    return found


def _origin(inputs: tuple[Input, ...] | None) -> str | None:
    if not inputs:
        return None
    return ", ".join(f"that of {each.component} in run {each.run}" for each in inputs)


def _or_unset(value: str | None) -> str:
    return "not set" if value is None else value or "empty"
