"""Joining the pieces of subword models."""

import re
from collections.abc import Iterable

LETTERS = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t", "0": "\0", "_": "\u2581", "#": "\u2585", ":": ""}


def joined(pieces: Iterable[str]) -> str:
    """The text of pieces."""
    byte = re.compile("<0x([0-9A-F]{2})>")
    text = b"".join(bytes.fromhex(p[3:5]) if byte.fullmatch(p) else p.replace("\u2581", " ").encode() for p in pieces)
    return re.sub(r"\\(.)", lambda escape: LETTERS[escape[1]], text.decode(), flags=re.DOTALL)
