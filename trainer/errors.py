"""The one exception that a user is meant to read."""

from __future__ import annotations


class JobError(Exception):
    """A failure told in full: what failed, where, what was found and expected, and what to do.

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
