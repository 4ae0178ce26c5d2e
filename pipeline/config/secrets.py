"""Secrets among a job's Beam flags: `--password=...`, and users and passwords in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from trainer.errors import mask

MASK = "***"
_SECRET_FLAG = re.compile(r"--?[\w-]*(?:password|passwd|secret|token|key|credential)[\w-]*", re.IGNORECASE)


def masked_flags(flags: Sequence[str]) -> list[str]:
    """Returns flags with a mask in place of each secret; a flag may be followed by its value."""
    found, after_secret = [], False
    for flag in flags:
        name, equals, _ = flag.partition("=")
        secret = bool(_SECRET_FLAG.fullmatch(name))
        if after_secret and not flag.startswith("-"):
            found.append(MASK)
        else:
            found.append(f"{name}={MASK}" if secret and equals else mask(flag))
        after_secret = secret and not equals
    return found


def secrets(flags: Sequence[str]) -> Iterator[str]:
    """Yields the values that `masked_flags` masks by the names of their flags."""
    for flag, masked in zip(flags, masked_flags(flags), strict=True):
        if masked == MASK:
            yield flag
        elif masked.endswith(f"={MASK}"):
            yield flag.partition("=")[2]
