"""A JSON array of objects, alone or inside an object, parsed by ijson with one element in memory.

An element that is valid JSON but not a document is one bad record. A syntax error is one bad record too; the elements
before it are read, the rest of the file is not.
"""

from __future__ import annotations

import codecs
import contextlib
import decimal
import io
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

from components.corpus_example_gen.documents import (
    EXCERPT_CHARS,
    MAX_DOCUMENT_BYTES,
    Part,
    Record,
    RecordError,
    too_long,
)
from components.corpus_example_gen.readers import text_encoding
from components.corpus_example_gen.readers.document_builder import DocumentBuilder
from components.corpus_example_gen.readers.json_values import pick, pick_tagged, require_object
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError

# Error messages are parsed below; other backends have different ones.
_PARSER = ijson.get_backend("yajl2_c")
_CHUNK_BYTES = 1 << 20
# The parser's messages quote 30 bytes before the error and 30 from there on, after an indent of 10.
_QUOTED_BYTES, _INDENT = 30, 10
_DEPTH = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_ITEM = "item"
_KEEP_ERRORS = "seqloom.keep"
# Invalid bytes, and escaped halves of surrogate pairs, which the parser replaces by question marks.
# The other alternatives skip text that only looks like such a half.
_FAULT = re.compile(
    r"([\udc00-\udcff])|\\(?:u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def _keep(error: UnicodeError) -> tuple[str, int]:
    """Replaces each invalid byte by a lone surrogate, which decoded text never contains."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_KEEP_ERRORS, _keep)


def read_json(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads a file that is one JSON array of objects, or an object with one at the key `records`.

    Raises:
        JobError: If the file has no such array.
    """
    array = _Array(file, part.path, settings)
    builder = DocumentBuilder(part, settings, array.encoding)
    build, values = (builder.tagged, pick_tagged) if settings.kind.tokenized else (builder.document, pick)
    try:
        for line, value, fault in array.elements():
            try:
                if fault:
                    raise RecordError(fault)
                yield build(line, *values(require_object(value), settings))
            except RecordError as error:
                yield builder.bad(line, str(error), _excerpt(value, array.encoding.codec))
    except RecordError as error:
        yield builder.bad(array.line, str(error), array.around())


def read_values(file: BinaryIO, path: str, settings: CorpusSettings) -> Iterator[Any]:
    """Yields the elements of the array up to the first syntax error, whatever they are.

    Raises:
        JobError: If the file has no such array.
    """
    with contextlib.suppress(RecordError):
        yield from (value for _, value, _ in _Array(file, path, settings).elements())


def find_array(text: str) -> str | None:
    """Returns the key of the first array of objects in the start of a file, empty for the file itself, or None."""
    try:
        for prefix, event, _ in _PARSER.parse(io.BytesIO(text.encode("utf-8", "replace"))):
            if event == "start_map" and prefix.split(".").count(_ITEM) == 1 and prefix.endswith(_ITEM):
                return str(prefix[: -len(_ITEM)].rstrip("."))
    except (ijson.JSONError, SystemError):
        pass
    return None


def _excerpt(value: Any, codec: str) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False)[: 2 * EXCERPT_CHARS].encode(codec, "backslashreplace")
    except RecursionError:
        return "(nested too deeply to show)".encode(codec)


class _Seeker:
    """Follows a parser's events to the array at a key, with dots inside objects; the empty key is the whole file.

    Attributes:
        ended: Whether the file's value has ended before such an array.
        keys: Keys of the file's object.
        other: Key of the first array of objects, if any.
    """

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._path: list[str] = []
        self.ended = False
        self.keys: list[str] = []
        self.other: str | None = None

    def seek(self, events: list[tuple[str, Any]]) -> bool:
        """Removes the events before the array and its start; returns whether it has started."""
        for number, (event, value) in enumerate(events):
            if event == "start_array" and ".".join(self._path) == self._wanted:
                del events[: number + 1]
                return True
            if event == "map_key":
                self._path[-1] = value
                self.keys += [value] * (len(self._path) == 1)
            elif event == "start_map":
                if self.other is None and self._path.count(_ITEM) == 1 and self._path[-1] == _ITEM:
                    self.other = ".".join(self._path[:-1])
                self._path.append("")
            elif event == "start_array":
                self._path.append(_ITEM)
            elif event in ("end_map", "end_array"):
                self._path.pop()
            self.ended = not self._path
        events.clear()
        return False


class _Array:
    """The elements of a JSON array in a file; `line` is the parser's line, from 1."""

    def __init__(self, file: BinaryIO, path: str, settings: CorpusSettings) -> None:
        self._head = file.read(text_encoding.MARK_BYTES)
        self.encoding, self._bytes_before = text_encoding.detect(self._head, path, settings)
        self._file, self._path, self._key = file, path, settings.records or ""
        # The text being parsed, from byte `_bytes_before` on; its parsed length; and the end of the text before it.
        self._text, self._position, self._text_before = "", 0, ""
        self.line = 1
        self._depth, self._builder, self._first_line = 0, ijson.ObjectBuilder(), 1
        self._fault: str | None = None
        self._is_over = False

    def elements(self) -> Iterator[tuple[int, Any, str | None]]:
        """Yields the first line, the value, and the fault in the text (or None) of each element.

        Raises:
            JobError: If the file has no such array.
            RecordError: At a syntax error.
        """
        events: list[tuple[str, Any]] = ijson.sendable_list()
        parser = _PARSER.basic_parse_coro(events)
        seeker, first, is_array, size = _Seeker(self._key), "", False, 0
        for text in self._pieces():
            # A NUL would end the parser's message; \1 is just as invalid.
            piece = text.encode().replace(b"\0", b"\1")
            failure = self._send(parser, piece, events)
            if not is_array:
                first = first or text.strip()[:1]
                is_array = seeker.seek(events)
                if not is_array and (failure or seeker.ended):
                    raise self._no_array(seeker, first)
            for value in self._values(events):
                yield self._first_line, value, self._fault
                self._fault, size = None, -len(piece)
            events.clear()
            if failure:
                raise RecordError(failure)
            size = size + len(piece) if is_array and not self._is_over else 0
            if size > MAX_DOCUMENT_BYTES:
                raise too_long()
            self._position += len(text)
            self.line += text.endswith("\n")
        try:
            parser.close()
        except ijson.JSONError:
            if is_array:
                raise RecordError(f"truncated JSON file: it ends at byte {self._bytes_before:,}") from None
        if first and not is_array:
            raise self._no_array(seeker, first)

    def around(self) -> bytes:
        """Returns the text around the parser's position."""
        before = (self._text_before + self._text[: self._position])[-EXCERPT_CHARS // 2 :]
        return self._raw(before + self._text[self._position :][: EXCERPT_CHARS // 2])

    def _values(self, events: list[tuple[str, Any]]) -> Iterator[Any]:
        """Yields the elements completed by these events."""
        for event, value in () if self._is_over else events:
            if self._depth == 0:
                if event == "end_array":
                    self._is_over = True
                    return
                self._builder, self._first_line = ijson.ObjectBuilder(), self.line
            self._builder.event(event, float(value) if isinstance(value, decimal.Decimal) else value)
            self._depth += _DEPTH.get(event, 0)
            if self._depth == 0:
                yield self._builder.value

    def _send(self, parser: Any, piece: bytes, events: list[tuple[str, Any]]) -> str | None:
        """Parses a piece; on a syntax error, moves to its position and returns the reason."""
        try:
            parser.send(piece)
            return None
        except ijson.JSONError as error:
            message = error.args[0] if isinstance(error.args[0], bytes) else str(error.args[0]).encode()
            what, quoted, *_ = message.split(b"\n")
            text = (b" " * _QUOTED_BYTES + piece).replace(b"\n", b" ").replace(b"\r", b" ")
            self._position += len(piece[: max(text.find(quoted[_INDENT:]), 0)].decode(errors="ignore"))
            reason = what.partition(b": ")[2].decode().rstrip(".")
        except SystemError:
            # The parser leaves an event without a value for an integer longer than Python's limit.
            events.pop()
            reason = "integer with too many digits"
        byte = f"{self._bytes_before + len(self._raw(self._text[: self._position])):,}"
        if reason == "trailing garbage":
            return f"content after the JSON array: near byte {byte} of the file"
        return f"invalid JSON file: {reason}, near byte {byte}; the rest of the file is not read"

    def _pieces(self) -> Iterator[str]:
        """Yields lines, or parts of long lines that end with a quote and thus not within an escape."""
        decoder = codecs.getincrementaldecoder(self.encoding.codec)(
            "replace" if self.encoding.replaces else _KEEP_ERRORS
        )
        data, rest = self._head[self._bytes_before :] or self._file.read(_CHUNK_BYTES), ""
        while data or rest:
            text = rest + decoder.decode(data, final=not data)
            end = max(text.rfind('"'), text.rfind("\n")) + 1 if data else len(text)
            self._text_before = (self._text_before + self._text)[-EXCERPT_CHARS:]
            self._text, self._position, rest = text[:end], 0, text[end:]
            yield from self._checked(self._text)
            self._bytes_before += len(self._raw(self._text))
            if len(rest) > MAX_DOCUMENT_BYTES:
                raise too_long()
            data = self._file.read(max(_CHUNK_BYTES, len(rest))) if data else b""

    def _checked(self, text: str) -> Iterator[str]:
        """Yields lines with faults replaced; the first one is recorded for the element being parsed."""
        start = 0
        suspect = "\\ud" in text or "\\uD" in text or not _is_encodable(text)
        for match in _FAULT.finditer(text) if suspect else ():
            if match.lastindex is None:
                continue
            yield from io.StringIO(text[start : match.start()], newline="\n")
            start = match.end()
            if self._fault is None and match.lastindex == 1:
                byte = self._bytes_before + len(self._raw(text[: match.start()])) + 1
                code = ord(match[0]) - 0xDC00
                self._fault = f"invalid {self.encoding.codec.upper()}: 0x{code:02x} at byte {byte:,} of the file"
            elif self._fault is None:
                self._fault = f"lone surrogate: {match[0]} is half of a UTF-16 pair"
            yield "\ufffd" * len(match[0])
        yield from io.StringIO(text[start:], newline="\n")

    def _raw(self, text: str) -> bytes:
        try:
            return text.encode(self.encoding.codec, "surrogateescape")
        except UnicodeError:
            return text.encode(self.encoding.codec, "replace")

    def _no_array(self, seeker: _Seeker, first: str) -> JobError:
        keys = f", and the keys {', '.join(map(ascii, seeker.keys[:8]))}" if self._key and seeker.keys else ""
        fix = "Set corpus.format: jsonl if each line is an object, or write only the array to the file."
        if seeker.other is not None:
            fix = (
                f"Set corpus.records: {seeker.other}, the key of an array" if seeker.other else "Remove corpus.records"
            )
            fix += "." if self.line > 1 else ", or corpus.format: jsonl if each line is an object."
        return JobError(
            f"A JSON file has no array {self._key}." if self._key else "A JSON file is not an array.",
            where=f"{self._path}, line {self.line}",
            found=f"{first!r} as its first character{keys}",
            expected=f"an array of objects at {self._key}" if self._key else "an array of objects: [{...}, ...]",
            fix=fix,
        )


def _is_encodable(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
