"""What a model is asked: from the command line, from lines and from JSON lines."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pipeline.config.suggestions import closest
from trainer.errors import JobError

BATCH = 256


@contextlib.contextmanager
def asked(arguments: list[str] | None, path: Path | None, key: str) -> Iterator[Iterator[str]]:
    """Opens the questions of a command: its arguments, else the lines of a file, else those of the standard input.

    Args:
        arguments: Questions on the command line.
        path: A file of JSON lines.
        key: What a question is called, and the key of a JSON object that holds it: text or word.

    Yields:
        The questions.

    Raises:
        JobError: If they are given twice or cannot be read.
    """
    if arguments and path:
        found = f"{key.upper()} and --input"
        raise JobError(f"{key.capitalize()}s are given twice.", found=found, fix="give one of them")
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


def batches(questions: Iterable[str]) -> Iterator[list[str]]:
    """Cuts questions into lists of `BATCH`; those before a broken one come first.

    Args:
        questions: Any number of them.

    Yields:
        At least one question.

    Raises:
        JobError: From `questions`.
    """
    batch: list[str] = []
    try:
        for question in questions:
            batch.append(question)
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
    """Reads one question a line.

    Args:
        stream: UTF-8 lines.
        name: What messages call the stream.

    Yields:
        The questions, empty ones too.

    Raises:
        JobError: With the line that is not UTF-8.
    """
    for line_number, line in enumerate(stream, start=1):
        yield _decode(line, f"{name}:{line_number}").rstrip("\r\n")


def read_json_lines(stream: BinaryIO, name: str, key: str) -> Iterator[str]:
    """Reads one question a line from JSON strings or from objects with a key; blank lines are skipped.

    Args:
        stream: UTF-8 lines.
        name: What messages call the stream.
        key: The key that holds the question.

    Yields:
        The questions.

    Raises:
        JobError: With the line that holds no question.
    """
    for line_number, line in enumerate(stream, start=1):
        where = f"{name}:{line_number}"
        if line.strip():
            yield _encodable(_question_in(_decode(line, where), where, key), where, key)


def check(arguments: Iterable[str], key: str) -> Iterator[str]:
    """Passes arguments of the command line on, unless their bytes were no UTF-8; `key` is what they are called."""
    for number, argument in enumerate(arguments, start=1):
        yield _encodable(argument, f"{key.upper()} {number}", key)


def _decode(line: bytes, where: str) -> str:
    try:
        return line.decode("utf-8-sig" if where.endswith(":1") else "utf-8")
    except UnicodeDecodeError as error:
        byte = f"the byte 0x{line[error.start]:02x} at column {error.start + 1}"
        raise JobError("A line is not UTF-8.", where=where, found=byte) from None


def _encodable(question: str, where: str, key: str) -> str:
    try:
        question.encode("utf-8")
    except UnicodeEncodeError as error:
        raise JobError(f"A {key} is not valid Unicode.", where=where, found=ascii(question[error.start])) from None
    return question


def _question_in(line: str, where: str, key: str) -> str:
    expected = f'{{"{key}": "..."}} or "..."'
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise JobError("A line is not JSON.", where=where, found=str(error), expected=expected) from None
    if isinstance(value, dict):
        if key not in value:
            near = closest(key, value)
            found = "the keys " + ", ".join(value) if value else "no keys"
            fix = f'rename "{near}" to "{key}"' if near else None
            raise JobError(f'A line has no key "{key}".', where=where, found=found, expected=expected, fix=fix)
        value = value[key]
    if not isinstance(value, str):
        raise JobError(f"A line holds no {key}.", where=where, found=line.strip()[:80], expected=expected)
    return value
