"""Secrets of sinks, which are in the environment and never in a file, log or message."""

from __future__ import annotations

import os

from trainer.errors import JobError


def value_of(variable: str) -> str:
    """Returns the value of a variable of the environment.

    Raises:
        JobError: If it is not set.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        raise unset(variable)
    return value


def unset(variable: str, where: str | None = None) -> JobError:
    """Returns the error of a variable that is not set; `where` is the key that names it."""
    return JobError(
        f"The environment variable {variable} is not set.",
        where=where,
        fix=f"set it for the process that runs the job: export {variable}=...",
    )
