"""What is known of a corpus that nobody has described yet."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from components.corpus_example_gen.inputs.files import open_file
from trainer.errors import JobError
from trainer.text.suggestions import did_you_mean

SAMPLE_BYTES = 16 << 20
"""Bytes of a file, decompressed, that the format and the columns are detected from."""


class Sample(NamedTuple):
    """The start of a file.

    Attributes:
        path: The file.
        data: Its first bytes, decompressed; whole lines if there are more of them.
        is_complete: Whether these are all of its bytes.
    """

    path: str
    data: bytes
    is_complete: bool


class Wanted(NamedTuple):
    """The columns that a user has named; the empty label stands for none."""

    text: str | None = None
    label: str | None = None


@dataclasses.dataclass
class Guess:
    """Settings of a corpus by key, in the order they were found.

    Attributes:
        values: The settings.
        reasons: Why a setting has its value, by key.
        remarks: What else a user should know.
    """

    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    reasons: dict[str, str] = dataclasses.field(default_factory=dict)
    remarks: list[str] = dataclasses.field(default_factory=list)

    def set(self, key: str, value: Any, reason: str = "") -> None:
        """Sets a key, with the reason for its value."""
        self.values[key] = value
        if reason:
            self.reasons[key] = reason


def take(path: str, limit: int = SAMPLE_BYTES) -> Sample:
    """Returns the start of a file.

    Raises:
        JobError: If the file cannot be read.
    """
    pieces, size = [], 0
    with open_file(path) as file:
        while size <= limit and (piece := file.read(limit + 1 - size)):
            pieces.append(piece)
            size += len(piece)
    data = b"".join(pieces)
    if size <= limit:
        return Sample(path, data, True)
    return Sample(path, data[: data.rfind(b"\n", 0, limit) + 1] or data[:limit], False)


def number_of(count: int, noun: str, plural: str = "") -> str:
    """Returns a count with its noun: 1 record, 2 records."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def words_of(name: str) -> list[str]:
    """Returns the words of a name, in lower case: `userLabel.name_2` consists of user, label and name."""
    return [word.lower() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+", name)]


def require_column(option: str, name: str, columns: Sequence[str], where: str) -> None:
    """Checks a column that a user has named.

    Raises:
        JobError: If there is no such column.
    """
    if name not in columns:
        raise JobError(
            f"The corpus has no column {name!r}.",
            where=f"{option}, {where}",
            found=f"the columns {shown(columns)}" if columns else "a format without columns",
            expected="the name of a column",
            fix=did_you_mean(name, columns, f"{option} ") or (None if columns else f"leave {option} out"),
        )


def shown(names: Iterable[str], limit: int = 12) -> str:
    """Lists names for a message, only the first ones of many."""
    first = [*names]
    more = f" and {len(first) - limit:,} more" if len(first) > limit else ""
    return ", ".join(name[:60] for name in first[:limit]) + more
