"""Finds how records end that continue from line to line, in time linear in the lines.

If a record cannot be read, only its first line is bad, and the next record starts in its second line. Where an escape
ends each line, that record spans almost the same lines as the one before it. Reading them again for every line would
take a time that grows with the square of their number.
"""

from __future__ import annotations

import csv
import enum
import functools
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from components.corpus_example_gen.readers.delimited import record_lines
from components.corpus_example_gen.readers.delimited.record_lines import RecordLines

_LONG = 1 << 20
"""Bytes of a line that is left to the reader, which limits the length of fields."""
_QUOTE = '"'


class _State(enum.Enum):
    """Where the csv module is between two lines."""

    START, FIELD, QUOTED, END, ERROR = range(5)


class _Step(NamedTuple):
    """What a line does: the states before and after it, its bytes, and the columns that it has or ends.

    `has_text` says if anything but white space is in them.
    """

    before: _State
    after: _State
    size: int
    columns: int = 0
    has_text: bool = False
    error: csv.Error | None = None


@functools.lru_cache(maxsize=1 << 12)
def _step(before: _State, after: _State, size: int, columns: int, has_text: bool) -> _Step:
    """Returns one object for equal steps: millions of short lines may follow one another."""
    return _Step(before, after, size, columns, has_text)


class Ending(NamedTuple):
    """A record that ends: its number of columns, and whether it has nothing but white space."""

    columns: int
    is_blank: bool


class ContinuedLines:
    """Follows a record over its lines once, for all records that start within them.

    Args:
        lines: The lines of the file.
        dialect: The keyword arguments of `csv.reader` without `strict`.
    """

    def __init__(self, lines: RecordLines, dialect: Mapping[str, Any]) -> None:
        self._lines, self._dialect = lines, dialect
        escape = dialect["escapechar"]
        self._applies = escape is not None and _QUOTE not in (escape, dialect["delimiter"])
        # Lines after which the csv module is in a state.
        self._before = {_State.START: [], _State.FIELD: [f"{escape}\n"], _State.QUOTED: [f"{_QUOTE}\n"]}
        # One step a line, from the line `_first` on, with their sums.
        self._steps: deque[_Step] = deque()
        self._first = self._size = self._columns = self._texts = 0
        self._last_failed = 0

    def failed(self, line: int, taken: int) -> None:
        """Notes that a record cannot be read, by the number of its first line and that of its lines."""
        if self._applies:
            self._last_failed = max(self._last_failed, line + taken - 1)

    def ending(self, line: int) -> Ending | None:
        """Returns how the record that starts next ends, if it starts within one that cannot be read.

        Args:
            line: The number of its line.

        Returns:
            None if that is unknown: the record has to be read.

        Raises:
            csv.Error: If reading the record would raise it.
        """
        if line > self._last_failed:
            return None
        start = self._take(_State.START, 0)
        if start is None or start.after not in (_State.FIELD, _State.QUOTED):
            return None
        self._align(line + 1, start.after)
        if not self._follow(start):
            return None
        self._last_failed = max(self._last_failed, line + len(self._steps))
        last = self._steps[-1] if self._steps else start
        if last.after in (_State.FIELD, _State.QUOTED) or self._exceeds(start.size + self._size - last.size):
            raise csv.Error("unexpected end of data")
        if last.error is not None:
            raise last.error
        columns = start.columns + self._columns
        return Ending(columns, columns == 1 and not start.has_text and not self._texts)

    def _align(self, line: int, state: _State) -> None:
        """Makes the steps start at a line in a state, from those that are known if they are there in the same state."""
        while self._steps and self._first < line:
            self._add(self._steps.popleft(), -1)
            self._first += 1
        if not self._steps or self._first != line or self._steps[0].before != state:
            self._clear(line)

    def _follow(self, start: _Step) -> bool:
        """Extends the steps to the end of the record or the limit of its size; returns whether that is possible."""
        while not self._exceeds(start.size + self._size):
            state = self._steps[-1].after if self._steps else start.after
            if state in (_State.END, _State.ERROR):
                return True
            if self._lines.peek(len(self._steps) + 1) is None:
                return True
            step = self._take(state, len(self._steps) + 1)
            if step is None:
                self._clear(self._first)
                return False
            self._steps.append(step)
            self._add(step, 1)
        return True

    def _take(self, before: _State, number: int) -> _Step | None:
        """Returns what a line does that comes after a number of others; None if it is too long, or there is none."""
        raw = self._lines.peek(number)
        if raw is None or len(raw) > _LONG:
            return None
        # A quote ends a quoted field, and belongs to another one.
        source = iter([*self._before[before], self._lines.decode(raw)[0], f"{_QUOTE}\n"])
        try:
            row = next(csv.reader(source, strict=True, **self._dialect))
        except csv.Error as error:
            return _Step(before, _State.ERROR, len(raw), error=error)
        if next(source, None) is not None:
            return _step(before, _State.END, len(raw), len(row), any(map(str.strip, row)))
        after = _State.FIELD if row[-1].endswith(_QUOTE) else _State.QUOTED
        row[-1] = row[-1].removesuffix(_QUOTE)
        return _step(before, after, len(raw), len(row), any(map(str.strip, row)))

    def _add(self, step: _Step, sign: int) -> None:
        self._size += sign * step.size
        # Its first column belongs to the line before it.
        self._columns += sign * (step.columns - 1)
        self._texts += sign * step.has_text

    def _clear(self, line: int) -> None:
        self._steps.clear()
        self._first, self._size, self._columns, self._texts = line, 0, 0, 0

    @staticmethod
    def _exceeds(size: int) -> bool:
        return size > record_lines.MAX_RECORD_BYTES
