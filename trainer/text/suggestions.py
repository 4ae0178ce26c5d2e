"""The nearest valid name, for messages that ask "did you mean"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(found: str, allowed: Iterable[str]) -> str | None:
    """The allowed name most like the one found, ignoring case, or None where none is like it.

    >>> nearest("epoch", ["epochs", "units"])
    'epochs'
    """
    by_folded = {name.casefold(): name for name in allowed}
    matches = difflib.get_close_matches(found.casefold(), by_folded, n=1)
    return by_folded[matches[0]] if matches else None
