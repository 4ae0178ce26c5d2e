"""The exception that users see, and the problems of a configuration that it reports."""

from __future__ import annotations

import copyreg
import re
from typing import NamedTuple

_USER_OF_URL = re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*@")


class JobError(Exception):
    """A failure that a user can fix.

    Args:
        what: The title: X is, has or cannot Y.
        where: File and line, key path or component.
        found: The actual value.
        expected: The allowed values.
        fix: The remedy.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        found: str | None = None,
        expected: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.what, self.where, self.found, self.expected, self.fix = what, where, found, expected, fix
        super().__init__(what, where, found, expected, fix)

    def __str__(self) -> str:
        details = (("where", self.where), ("found", self.found), ("expected", self.expected), ("fix", self.fix))
        return mask("\n".join([self.what, *(f"  {name}: {text}" for name, text in details if text is not None)]))

    def __reduce__(self) -> tuple[object, ...]:
        # Bypasses __init__, which the default would call with all arguments as positional ones.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class TransientError(JobError):
    """A failure that passes without a change of the job or its files: the same command may succeed later."""


def mask(text: str) -> str:
    """Returns a text without the users and passwords of its URLs."""
    return _USER_OF_URL.sub("***@", text)


class Problem(NamedTuple):
    """Settings that are valid alone but not together: the fields of a `JobError`, with a key path instead of `where`.

    Attributes:
        path: The key, relative to the section that reports the problem.
    """

    path: tuple[str, ...]
    what: str
    found: str | None = None
    expected: str | None = None
    fix: str | None = None

    def below(self, *section: str) -> Problem:
        """Returns the problem as an enclosing section reports it."""
        return self._replace(path=(*section, *self.path))

    def error(self, where: str) -> JobError:
        """Returns the problem as an error at a location."""
        return JobError(self.what, where=where, found=self.found, expected=self.expected, fix=self.fix)
