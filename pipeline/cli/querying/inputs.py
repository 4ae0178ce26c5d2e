"""Inputs of the commands that query a model: arguments, lines of text, or JSON lines."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from trainer.errors import JobError
from trainer.text.suggestions import closest

BATCH = 256

T = TypeVar("T")


@contextlib.contextmanager
def open_inputs(arguments: list[str] | None, path: Path | None, key: str) -> Iterator[Iterator[str]]:
    """Opens the inputs of a command: its arguments, otherwise the lines of a file, otherwise those of stdin.

    Args:
        arguments: Inputs on the command line.
        path: A file of JSON lines.
        key: The name of an input, text or word; also the key that holds it in a JSON object.

    Raises:
        JobError: If both are given, or an input cannot be read.
    """
    if arguments and path:
        raise JobError(f"{key.upper()} and --input cannot be combined.", fix="give one of the two")
    if arguments:
        yield check(arguments, key)
    elif path is None:
        yield read_lines(sys.stdin.buffer, "stdin")
    else:
        try:
            file = path.open("rb")
        except OSError as error:
            raise JobError("The input cannot be read.", where=str(path), found=error.strerror) from error
        with file:
            yield read_json_lines(file, str(path), key)


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


def read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Reads one input per line, including empty ones.

    Args:
        stream: UTF-8 lines.
        name: The stream's name, for messages.

    Raises:
        JobError: With the line that is not UTF-8.
    """
    for line_number, line in enumerate(stream, start=1):
        yield decode(line, f"{name}:{line_number}").rstrip("\r\n")


def read_json_lines(stream: BinaryIO, name: str, key: str) -> Iterator[str]:
    """Reads one input per line, a JSON string or an object with the key; skips blank lines.

    Args:
        stream: UTF-8 lines.
        name: The stream's name, for messages.
        key: The key that holds the input.

    Raises:
        JobError: With the line that has no input.
    """
    for line_number, line in enumerate(stream, start=1):
        where = f"{name}:{line_number}"
        if line.strip():
            yield parse_json_line(line, where, key)[0]


def check(arguments: Iterable[str], key: str) -> Iterator[str]:
    """Yields arguments of the command line; raises a JobError at one whose bytes are not UTF-8."""
    for number, argument in enumerate(arguments, start=1):
        yield _require_unicode(argument, f"{key.upper()} {number}", key)


def parse_json_line(line: bytes, where: str, key: str) -> tuple[str, dict[str, Any]]:
    """Returns the input of a line, and the object that holds it, which is empty for a JSON string.

    Raises:
        JobError: If the line has no input.
    """
    text, record = _parse(decode(line, where), where, key)
    return _require_unicode(text, where, key), record


def decode(line: bytes, where: str) -> str:
    """Decodes a line of UTF-8, the first one of a file without its byte order mark.

    Raises:
        JobError: If it is not UTF-8.
    """
    try:
        return line.decode("utf-8-sig" if where.endswith(":1") else "utf-8")
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
