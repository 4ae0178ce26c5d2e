"""Sections that select a choice by name, each with its own keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from trainer.errors import Problem
from trainer.settings import Settings


class NamedSettings(Settings):
    """A choice by name and its keys; None means the default of a key.

    Attributes:
        title: The subject of the choice, for messages.
        defaults: The keys of each choice with their defaults.
    """

    title: ClassVar[str]
    defaults: ClassVar[Mapping[str, Mapping[str, float | bool]]]

    name: str

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        own = self.defaults[self.name]
        for key, value in self:
            if key != "name" and value is not None and key not in own:
                others = " or ".join(name for name, keys in self.defaults.items() if key in keys)
                fix = f"remove {key}, or set name to {others}"
                yield Problem((key,), f"{self.title} {self.name} has no key {key}.", key, ", ".join(own) or "none", fix)

    def constants(self) -> dict[str, float | bool]:
        """Returns every key of the choice with its value."""
        given = {key: getattr(self, key) for key in self.defaults[self.name]}
        return {key: self.defaults[self.name][key] if value is None else value for key, value in given.items()}


def expand_name(value: Any) -> Any:
    """Expands a name into a section with only the name."""
    return {"name": value} if isinstance(value, str) else value
