"""Files that a job names besides its corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from pipeline.config.locations import resolve_file

S = TypeVar("S", bound=BaseModel)


@dataclasses.dataclass(frozen=True)
class JobFile:
    """A file that a job names.

    Attributes:
        key: The key that holds the path: ("transform", "vocabulary").
        path: The path as given in the job.
        folder: The folder below a run's root that holds its copies.
        parse: Takes the file's content and path, and raises a JobError if it is invalid.
        find: Finds the file, with the arguments of `resolve_file`.
    """

    key: tuple[str, ...]
    path: str
    folder: str
    parse: Callable[[bytes, str], object] | None = None
    find: Callable[..., Path] = resolve_file

    @property
    def name(self) -> str:
        """The dotted key: `transform.vocabulary`."""
        return ".".join(self.key)

    def locate(self, base: Path, *, where: str) -> Path:
        """Returns the absolute path of the existing file.

        Args:
            base: The folder that relative paths start from.
            where: Where the path is given, for messages.

        Raises:
            JobError: If the file does not exist.
        """
        return self.find(self.path, base, where=where)


def with_paths(section: S, paths: Mapping[tuple[str, ...], str]) -> S:
    """Returns a copy of a section, or of a whole job, with new paths by key; keys are spelled as in the YAML."""
    for key, path in paths.items():
        section = _replaced(section, key, path)
    return section


def _replaced(section: Any, key: Sequence[str], path: str) -> Any:
    if not key:
        return path
    name, *rest = key
    if isinstance(section, Mapping):
        return {**section, name: _replaced(section[name], rest, path)}
    fields = type(section).model_fields.items()
    field = next(field for field, info in fields if name == (info.alias or field))
    return section.model_copy(update={field: _replaced(getattr(section, field), rest, path)})
