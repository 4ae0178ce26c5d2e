"""File patterns of a corpus by split, and the files of this machine that match one; imports no Beam, which is slow."""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trainer.errors import JobError

ALL_SPLITS = "corpus"
"""Name of the input whose documents go to all splits."""

HIDDEN = (".", "_")
"""First characters of names that are no data: those of editors, Git, Hadoop and Spark."""

ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
"""Errors of a path that does not exist."""

SPAN_MARK = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::([^}]*))?\}")
_ANY_NUMBERS = re.compile(r"\*?(?:\{(?:SPAN|VERSION)(?::(?![1-9][0-9]?\})[^}]*)?\}\*?)+")
"""Numbers of any width, with a * beside them: each would become a *, and two of them mean something else."""
_ADJACENT = re.compile(r"\{SPAN\}\{VERSION\}|\{VERSION\}\{SPAN\}")
_DIGITS = {"YYYY": 4, "MM": 2, "DD": 2}


class SplitPattern(NamedTuple):
    """A path or glob of files.

    Attributes:
        name: Its split, or `ALL_SPLITS`.
        pattern: A local path, a URL, or a glob of either; special characters of existing names are escaped.
        order: Its position in a list of paths.
    """

    name: str
    pattern: str
    order: int = 0


def invalid_number(pattern: str) -> tuple[str, str] | None:
    """Returns the placeholders of numbers in a pattern that have no meaning, and what is expected; None if all have."""
    for name, width in SPAN_MARK.findall(pattern):
        if width and not (name in ("SPAN", "VERSION") and width.isdecimal() and int(width)):
            return f"{{{name}:{width}}}", "a width like {SPAN:3}"
    adjacent = _ADJACENT.search(pattern)
    return (adjacent[0], "a character between two numbers, or a width like {SPAN:3}") if adjacent else None


def any_span(pattern: str) -> str:
    """Returns a glob that matches the files of all spans."""
    variable = _ANY_NUMBERS.sub("*", pattern)
    return SPAN_MARK.sub(lambda mark: "[0-9]" * _DIGITS.get(mark[1], int(mark[2] or 0)), variable)


def unescaped(pattern: str) -> str:
    """Returns a pattern without the escapes of `glob.escape`."""
    return re.sub(r"\[([*?[])\]", r"\1", pattern)


def literal(pattern: str) -> str | None:
    """Returns the path that a pattern stands for, or None if it is a glob."""
    path = unescaped(pattern)
    return path if glob.escape(path) == pattern else None


def is_hidden(name: str, patterns: Sequence[str]) -> bool:
    """Whether a file or folder is no data by its name, and none of the patterns names it explicitly."""
    return name.startswith(HIDDEN) and not any(
        fnmatch.fnmatchcase(name, pattern) for pattern in patterns if pattern.startswith(name[0])
    )


def local_files(pattern: str) -> Iterator[str]:
    """Yields what matches a pattern on this machine, except folders and hidden names, by folder in sorted order.

    Raises:
        JobError: If a folder cannot be read.
    """
    yield from _matches("/" if pattern.startswith("/") else "", [part for part in pattern.split("/") if part])


def _matches(folder: str, parts: Sequence[str]) -> Iterator[str]:
    part, *rest = parts
    name = literal(part)
    for path in (posixpath.join(folder, one) for one in (_names(folder, part) if name is None else [name])):
        if rest:
            yield from _matches(path, rest)
        elif posixpath.lexists(path) and not posixpath.isdir(path):
            yield path


def _names(folder: str, part: str) -> list[str]:
    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name for entry in entries]
    except OSError as error:
        if error.errno in ABSENT:
            return []
        raise JobError(
            "A corpus folder cannot be read.", where=folder, found=error.strerror, fix="Repair its permissions."
        ) from error
    return sorted(name for name in fnmatch.filter(names, part) if not is_hidden(name, [part]))
