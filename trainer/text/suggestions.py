"""The closest valid name, for messages that ask "did you mean"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(found: str, allowed: Iterable[str]) -> str | None:
    """Returns the allowed name most similar to `found`, ignoring case, or None if none is similar.

    >>> closest("epoch", ["epochs", "units"])
    'epochs'
    """
    by_folded = {name.casefold(): name for name in allowed}
    matches = difflib.get_close_matches(found.casefold(), by_folded, n=1)
    return by_folded[matches[0]] if matches else None


def did_you_mean(found: str, allowed: Iterable[str], prefix: str = "") -> str | None:
    """Returns a fix that suggests the closest allowed name, or None if none is similar.

    >>> did_you_mean("epoch", ["epochs", "units"], "trainer.")
    'did you mean trainer.epochs?'
    """
    name = closest(found, allowed)
    return None if name is None else f"did you mean {prefix}{name}?"
