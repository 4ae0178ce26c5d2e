"""The physical lines of a CSV or TSV file, grouped into records."""

from __future__ import annotations

import re
from collections import deque

from components.corpus_example_gen.documents import MAX_DOCUMENT_BYTES, RecordError, too_long
from components.corpus_example_gen.readers.lines import Lines

MAX_RECORD_BYTES = 8 << 20
"""Limit of a record that spans lines."""

# MySQL and PostgreSQL write these letters behind a backslash for characters; any other character means itself.
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "Z": "\x1a"}


class RecordLines:
    """Decoded physical lines of a file; keeps those of the current record, which can be read again.

    Args:
        lines: The lines.
        escape: The character that starts an escape of a database, or None.
    """

    def __init__(self, lines: Lines, escape: str | None) -> None:
        self._lines = iter(lines)
        self._escape = escape or ""
        mark = re.escape(self._escape)
        self._null, self._escaped = (
            re.compile(rf"(?:(?<=\t)|^){mark}N(?=[\t\r\n]|$)"),
            re.compile(rf"{mark}(.)", re.DOTALL),
        )
        self._encoding = lines.encoding
        self._returned: deque[bytes] = deque()
        self._taken: list[bytes] = []
        self._size = 0
        self._broken = False
        self._line = 1

    def __iter__(self) -> RecordLines:
        return self

    def __next__(self) -> str:
        if self._size > MAX_RECORD_BYTES:
            raise StopIteration
        line = self._returned.popleft() if self._returned else next(self._lines)
        self._taken.append(line)
        self._size += len(line)
        text, is_broken = self.decode(line)
        self._broken = self._broken or is_broken
        return text

    def decode(self, line: bytes) -> tuple[str, bool]:
        """Returns what the csv module reads of a line, and whether the line has a NUL or invalid bytes."""
        is_broken = False
        try:
            text = self._encoding.decode(line)
        except RecordError:
            is_broken = True
            text = self._encoding.decode_leniently(line)
        if self._escape and self._escape in text:
            text = self._null.sub("", text)
            text = self._escaped.sub(lambda match: self._escape + _ESCAPED.get(match[1], match[1]), text)
        if "\0" in text:
            # Python 3.10's csv module stops at a NUL, later ones accept it; here the whole record is bad.
            is_broken = True
            text = text.replace("\0", " ")
        return text, is_broken

    def peek(self, number: int) -> bytes | None:
        """Returns the line that comes after a number of others, or None at the end of the file."""
        while len(self._returned) <= number:
            line = next(self._lines, None)
            if line is None:
                return None
            self._returned.append(line)
        return self._returned[number]

    def start(self) -> int:
        """Starts a record and returns the number of its first line, from 1."""
        self._line += len(self._taken)
        self._taken.clear()
        self._size = 0
        self._broken = False
        return self._line

    def raw(self) -> bytes:
        """Returns the bytes of the current record."""
        return b"".join(self._taken)

    def check(self) -> None:
        """Raises RecordError if the record is too long, or has a NUL or invalid bytes."""
        if self._size > MAX_DOCUMENT_BYTES:
            raise too_long()
        if self._broken:
            raw = self.raw()
            position = self._encoding.find_nul(raw)
            if position >= 0:
                raise RecordError(f"NUL byte: at byte {position} of the record")
            self._encoding.decode(raw)
            raise RecordError("NUL byte: in an escape")

    @property
    def taken(self) -> int:
        """The number of lines of the current record."""
        return len(self._taken)

    def give_back(self, kept: int = 0) -> None:
        """Gives back all lines of the record but the first ones, to be read again."""
        self._returned.extendleft(reversed(self._taken[kept:]))
        del self._taken[kept:]

    def keep_first(self) -> None:
        """Makes the first line the whole record, whether or not it or more of them are taken."""
        if not self._taken:
            next(self)
        self.give_back(kept=1)
