"""Joining the pieces of subword models."""

import re
from collections.abc import Iterable

LETTERS = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t", "0": "\0", "_": "\u2581", "#": "\u2585", ":": ""}


def joined(pieces: Iterable[str]) -> str:
    """The text of pieces."""
    found = (bytes.fromhex(p[3:5]) if p[:3] == "<0x" else p.replace("\u2581", " ").encode() for p in pieces)
    return re.sub(r"\\(.)", lambda escape: LETTERS[escape[1]], b"".join(found).decode(), flags=re.DOTALL)
