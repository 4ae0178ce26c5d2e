"""Inputs of the commands that query a model: arguments, lines of text, or JSON lines."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple, TypeVar

import typer

from pipeline.console.printing import echo
from trainer.errors import JobError
from trainer.text.suggestions import closest

BATCH = 256
BAD_RECORDS = 1
"""The exit code if some records cannot be read."""

_ID = "id"

T = TypeVar("T")


class Query(NamedTuple):
    """A text or word to answer, or the tokens of a tagged format, with the id of its record, if it has one."""

    text: str
    tokens: tuple[str, ...] = ()
    id: Any = None

    def with_id(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Returns an answer to it, after its id, if it has one."""
        return answer if self.id is None else {_ID: self.id, **answer}


@contextlib.contextmanager
def reports_bad() -> Iterator[Callable[[Iterable[Query | JobError]], Iterator[Query]]]:
    """Yields a function that drops the inputs that cannot be read, and prints them to stderr.

    A block without an error ends with their number and the exit code `BAD_RECORDS`, if there are any.
    """
    bad = 0

    def good(given: Iterable[Query | JobError]) -> Iterator[Query]:
        nonlocal bad
        for query in given:
            if isinstance(query, Query):
                yield query
            else:
                bad += 1
                echo(str(query), err=True)

    yield good
    if bad:
        echo(f"{bad:,} records cannot be read." if bad > 1 else "1 record cannot be read.", err=True)
        raise typer.Exit(BAD_RECORDS)


def batches(inputs: Iterable[T]) -> Iterator[list[T]]:
    """Groups inputs into lists of up to `BATCH`; those before an invalid one are yielded before its JobError."""
    batch: list[T] = []
    try:
        for one in inputs:
            batch.append(one)
            if len(batch) == BATCH:
                full, batch = batch, []
                yield full
    except JobError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def read_lines(stream: BinaryIO, name: str) -> Iterator[Query | JobError]:
    """Reads one input per line, including empty ones; the lines that are not UTF-8 as errors.

    Args:
        stream: UTF-8 lines.
        name: The stream's name, for messages.
    """
    for line_number, line in enumerate(stream, start=1):
        try:
            yield Query(_decode(line, f"{name}:{line_number}"))
        except JobError as error:
            yield error


def read_json_lines(stream: BinaryIO, name: str, key: str) -> Iterator[Query | JobError]:
    """Reads one input per line, a JSON string or an object with the key; the lines without an input as errors.

    Skips blank lines.

    Args:
        stream: UTF-8 lines.
        name: The stream's name, for messages.
        key: The key that holds the input.
    """
    for line_number, line in enumerate(stream, start=1):
        if line.strip():
            where = f"{name}:{line_number}"
            try:
                text, record = _parse(_decode(line, where), where, key)
                yield Query(_require_unicode(text, where, key), id=record.get(_ID))
            except JobError as error:
                yield error


def check(arguments: Iterable[str], key: str) -> Iterator[str]:
    """Yields arguments of the command line.

    Args:
        arguments: Inputs on the command line.
        key: What an input is, text or word.

    Raises:
        JobError: At one whose bytes are not UTF-8.
    """
    for number, argument in enumerate(arguments, start=1):
        yield _require_unicode(argument, f"{key.upper()} {number}", key)


def _decode(line: bytes, where: str) -> str:
    """Returns a line without its end and, if it is the first one, without the byte order mark."""
    try:
        return line.decode("utf-8-sig" if where.endswith(":1") else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        byte = f"the byte 0x{line[error.start]:02x} at column {error.start + 1}"
        raise JobError("A line is not UTF-8.", where=where, found=byte) from None


def _require_unicode(text: str, where: str, key: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise JobError(f"A {key} is not valid Unicode.", where=where, found=ascii(text[error.start])) from None
    return text


def _parse(line: str, where: str, key: str) -> tuple[str, dict[str, Any]]:
    """Returns the input of a line, and the object that holds it, which is empty for a JSON string."""
    expected = f'{{"{key}": "..."}} or "..."'
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise JobError("A line is not JSON.", where=where, found=str(error), expected=expected) from None
    record: dict[str, Any] = value if isinstance(value, dict) else {}
    if isinstance(value, dict):
        if key not in value:
            near = closest(key, value)
            found = "the keys " + ", ".join(value) if value else "no keys"
            fix = f'rename "{near}" to "{key}"' if near else None
            raise JobError(f'A line has no key "{key}".', where=where, found=found, expected=expected, fix=fix)
        value = value[key]
    if not isinstance(value, str):
        raise JobError(f"A line has no {key}.", where=where, found=line.strip()[:80], expected=expected)
    return value, record
