"""Finds columns in the header or schema of a file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from trainer.errors import JobError


def column_index(role: str, name: str, columns: Sequence[str], where: str, *, of: str, hint: str = "") -> int:
    """Returns the index of a column; `where`, `of` (the kind of file) and `hint` are for messages.

    Raises:
        JobError: If no column, or more than one, has the name.
    """
    found = columns.count(name)
    if found == 1:
        return columns.index(name)
    near = difflib.get_close_matches(name, columns, n=1)
    if found:
        fix = "Give each column a distinct name."
    elif near:
        fix = f"Did you mean {near[0]!r}? Set corpus.{role} to it{hint}."
    else:
        fix = f"Set corpus.{role} to one of the columns{hint}."
    raise JobError(
        f"The column {name!r} (corpus.{role}) is {'ambiguous' if found else 'missing'} in a {of} file.",
        where=where,
        found="the columns " + ", ".join(map(repr, columns)),
        expected=f"one column {name!r}",
        fix=fix,
    )
