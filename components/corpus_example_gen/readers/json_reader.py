"""A JSON array of objects, read one by one; of the file, no more than an element is held.

An element that cannot be parsed costs only itself where its end is certain: by its brackets and quotes, or because
each element starts a line of its own. Else the file is at fault: no good element is taken for a part of a bad one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from components.corpus_example_gen.documents import EXCERPT_CHARS, MAX_DOCUMENT_BYTES, Part, Record, RecordError
from components.corpus_example_gen.readers.document_builder import DocumentBuilder
from components.corpus_example_gen.readers.json_values import pick, require_object
from components.corpus_example_gen.readers.text_stream import TextStream
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{},]', re.DOTALL)
# What may be a seam between two elements, so that they are not taken for one broken one.
_SEAM = re.compile(r"[}\]]\s*,\s*[{\[]|\n\s*\{")
_SPACE = re.compile(r"[ \t\r\n]*")
_CLOSING = {"{": "}", "[": "]"}


def read_json(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads documents from a file that is one JSON array of objects.

    Args:
        file: The open file.
        part: The whole file.
        settings: Names of the keys, and the labels.

    Yields:
        A document or a bad record for each element.

    Raises:
        JobError: If the file is no array, or it is uncertain where a broken element ends.
    """
    stream = TextStream(file, part.path, settings)
    array = _Array(stream, part.path)
    builder = DocumentBuilder(part, settings, stream.encoding)
    for line, start, end, value in array.elements():
        try:
            if stream.is_marked:
                stream.check(start, end)
            if isinstance(value, RecordError):
                raise value
            yield builder.document(line, *pick(require_object(value), settings))
        except RecordError as error:
            yield builder.bad(line, str(error), stream.raw(start, min(end, start + EXCERPT_CHARS)))


class _Array:
    """The elements of the array in a stream."""

    def __init__(self, stream: TextStream, path: str) -> None:
        self._stream, self._path = stream, path
        self._decoder = json.JSONDecoder()
        # The white space before the element, if it starts a line.
        self._indent: str | None = None

    def elements(self) -> Iterator[tuple[int, int, int, Any]]:
        """Yields line, start and end in the stream's text, and value; what cannot be parsed as a RecordError."""
        stream = self._stream
        opening = self._next()
        if not opening:
            return
        if opening != "[":
            fix = "Set corpus.format: jsonl if each line is an object; else take the array out of what is around it."
            raise self._fault(
                "A JSON file is no array.", f"{opening!r} first", "an array of objects: [{...}, ...]", fix
            )
        stream.skip(stream.position + 1)
        while (following := self._next()) != "]":
            if not following:
                raise self._fault("A JSON file is torn.", "the end of the file", "a ] that ends the array")
            if following == ",":
                stream.skip(stream.position + 1)
                continue
            line = stream.line
            value, end = self._element()
            yield line, stream.position, end, value
            stream.skip(end)
        stream.skip(stream.position + 1)
        if rest := self._next():
            raise self._fault("A JSON file goes on behind its array.", f"{rest!r}", "the end of the file")

    def _next(self) -> str:
        """Skips white space and returns the next character, or nothing at the end."""
        stream = self._stream
        while True:
            end = _end_of_space(stream.text, stream.position)
            if end < len(stream.text):
                _, line_end, indent = stream.text[stream.position : end].rpartition("\n")
                self._indent = indent if line_end else None
                stream.skip(end)
                return stream.text[end]
            if not stream.more():
                stream.skip(end)
                return ""

    def _element(self) -> tuple[Any, int]:
        """Returns the value of the element at the stream's position, and where it ends."""
        stream = self._stream
        while True:
            reason, end = "text behind the element", -1
            try:
                value, end = self._decoder.raw_decode(stream.text, stream.position)
            except json.JSONDecodeError as error:
                reason = f"{error.msg} at character {error.pos - stream.position}"
            except (ValueError, RecursionError) as error:
                reason = str(error)
            else:
                behind = _end_of_space(stream.text, end)
                following = stream.text[behind : behind + 1]
                # A missing comma costs nothing: both elements are whole.
                if following in tuple(",]{") or (not following and stream.at_end):
                    return value, end
            end = self._end_of_broken()
            if end >= 0:
                return RecordError(f"broken JSON: {reason}"), end
            if len(stream.text) - stream.position > MAX_DOCUMENT_BYTES or not stream.more():
                raise self._fault(
                    "A JSON file has a broken element, and it is uncertain where it ends.",
                    f"{reason}; the element starts with {stream.text[stream.position :][:80]!r}",
                    "objects separated by commas",
                    "Repair the element, or write one object a line.",
                )

    def _end_of_broken(self) -> int:
        """Returns where the broken element ends, or -1 if more text is needed or none will tell."""
        stream = self._stream
        following = -1
        if self._indent is not None:
            following = stream.text.find(f"\n{self._indent}{{", stream.position)
            if following < 0 and stream.at_end:
                last = len(stream.text.rstrip(" \t\r\n")) - 1
                following = last if stream.text[last] == "]" else -1
        limit = following if following >= 0 else len(stream.text)
        end = _end_by_brackets(stream.text, stream.position, limit)
        if end < 0 <= following and not _SEAM.search(stream.text, stream.position, following):
            return following
        return end

    def _fault(self, what: str, found: str, expected: str, fix: str = "Repair the file.") -> JobError:
        return JobError(what, where=f"{self._path}, line {self._stream.line}", found=found, expected=expected, fix=fix)


def _end_by_brackets(text: str, start: int, limit: int) -> int:
    """Returns the comma or bracket behind the element, or -1 if brackets or quotes do not fit together."""
    open_brackets: list[str] = []
    before = ""
    for match in _TOKEN.finditer(text, start, limit):
        found = match.group()
        if found[0] == '"':
            behind = _end_of_space(text, match.end())
            if len(found) == 1 or behind >= limit or text[behind] not in ",:]}":
                return -1
        elif found in _CLOSING:
            if before == "," and open_brackets[-1:] == ["{"]:
                # A key has to follow here: this is the next element, and the last one was not closed.
                return -1
            open_brackets.append(found)
        elif open_brackets:
            if found != "," and _CLOSING[open_brackets.pop()] != found:
                return -1
        elif found != "}":
            return match.start()
        before = found
    return -1


def _end_of_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
