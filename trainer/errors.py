"""The one exception that a user is meant to read, and the problems of a configuration that it reports."""

from __future__ import annotations

from typing import NamedTuple


class JobError(Exception):
    """A failure with everything a user needs: what failed, where, what was found and expected, and what to do.

    Args:
        what: The sentence that names the failure.
        where: File and line, key path or component.
        found: What was there.
        expected: What is allowed.
        fix: What to do about it.
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
        return "\n".join([self.what, *(f"  {name}: {text}" for name, text in details if text is not None)])

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.what, self.where, self.found, self.expected, self.fix)


def _rebuild(what: str, where: str | None, found: str | None, expected: str | None, fix: str | None) -> JobError:
    return JobError(what, where=where, found=found, expected=expected, fix=fix)


class Problem(NamedTuple):
    """Settings that are valid alone but not together; what a `JobError` says, with a key path in place of a line.

    Attributes:
        path: The key, relative to the section that reports the problem.
        what: The title: X is, has or cannot Y.
        found: What is set.
        expected: What is allowed.
        fix: What to change.
    """

    path: tuple[str, ...]
    what: str
    found: str | None = None
    expected: str | None = None
    fix: str | None = None

    def below(self, *section: str) -> Problem:
        """The problem as a section above reports it."""
        return self._replace(path=(*section, *self.path))

    def error(self, where: str) -> JobError:
        """The problem as an error at a place."""
        return JobError(self.what, where=where, found=self.found, expected=self.expected, fix=self.fix)
