"""The columns of a file that names them once for all records."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from trainer.errors import JobError


def place_of(role: str, name: str, columns: Sequence[str], where: str, *, of: str, hint: str = "") -> int:
    """Returns the place of a column.

    Args:
        role: The key of the settings that names it.
        name: Its name.
        columns: The names of all columns.
        where: The place of the header, for messages.
        of: The kind of file, for messages.
        hint: What else may be wrong.

    Raises:
        JobError: If no column, or more than one, has the name.
    """
    found = columns.count(name)
    if found == 1:
        return columns.index(name)
    near = difflib.get_close_matches(name, columns, n=1)
    if found:
        fix = "Give each column a name of its own."
    elif near:
        fix = f"Did you mean {near[0]!r}? Set corpus.{role} to it."
    else:
        fix = f"Set corpus.{role} to one of the columns{hint}."
    raise JobError(
        f"The column {name!r} (corpus.{role}) is {'there more than once' if found else 'missing'} in a {of} file.",
        where=where,
        found="the columns " + ", ".join(repr(column) for column in columns),
        expected=f"one column {name!r}",
        fix=fix,
    )
