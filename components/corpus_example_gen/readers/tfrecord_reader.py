"""TFRecord files of `tf.Example` or `tf.SequenceExample`.

A file is one part: records can only be found from its start. Unlike TensorFlow's reader, this one continues after a
record with a wrong checksum.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from google.protobuf.message import DecodeError

from components.corpus_example_gen.documents import MAX_DOCUMENT_BYTES, ROLES, Part, Record, RecordError, too_long
from components.corpus_example_gen.readers.document_builder import DocumentBuilder, join_columns, require_aligned
from components.corpus_example_gen.readers.json_values import Label, label_texts, scalar_text, sentence
from components.corpus_example_gen.readers.text_encoding import TextEncoding
from components.corpus_example_gen.settings import CorpusSettings
from components.shared.checksum import masked_checksum
from trainer.errors import JobError

_LENGTH = struct.Struct("<Q")
_CHECKSUM_BYTES = 4
_HEADER_BYTES = _LENGTH.size + _CHECKSUM_BYTES
_CHUNK_BYTES = 1 << 20


def read_tfrecord(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads a TFRecord file, compressed or not.

    Raises:
        JobError: If the file is not a TFRecord file or is truncated.
    """
    encoding = TextEncoding("utf-8", settings.encoding_errors)
    builder = DocumentBuilder(part, settings, encoding)
    pick = _Picker(settings, encoding)
    build = builder.tagged if settings.kind.tokenized else builder.document
    for number, (data, error) in enumerate(_records(file, part.path), 1):
        try:
            if error is not None:
                raise error
            yield build(number, *pick(data))
        except RecordError as reason:
            yield builder.bad(number, str(reason), data)


def read_features(file: BinaryIO, path: str, settings: CorpusSettings) -> Iterator[dict[str, list[Any]]]:
    """Yields the values of all features of each sound record; of feature lists, those of all steps.

    Raises:
        JobError: If the file is not a TFRecord file or is truncated.
    """
    picker = _Picker(settings, TextEncoding("utf-8", "replace"))
    for data, error in _records(file, path):
        if error is None:
            with contextlib.suppress(RecordError):
                yield picker.values(data)


def starts_with_record(head: bytes) -> bool:
    """Whether the first bytes of a file are the length of a TFRecord with its checksum."""
    length, checksum = head[: _LENGTH.size], head[_LENGTH.size : _HEADER_BYTES]
    return len(head) >= _HEADER_BYTES and masked_checksum(length) == checksum


def _records(file: BinaryIO, path: str) -> Iterator[tuple[bytes, RecordError | None]]:
    """Yields the bytes of each record, and their error or None."""
    number = 0
    while header := file.read(_HEADER_BYTES):
        number += 1
        length = header[: _LENGTH.size]
        if len(header) < _HEADER_BYTES:
            raise _fault(path, number)
        if masked_checksum(length) != header[_LENGTH.size :]:
            raise _fault(path, number, f"a wrong checksum of the record's length, {header!r}")
        (size,) = _LENGTH.unpack(length)
        if size > MAX_DOCUMENT_BYTES:
            rest = size + _CHECKSUM_BYTES
            while rest > 0 and (chunk := file.read(min(rest, _CHUNK_BYTES))):
                rest -= len(chunk)
            if rest:
                raise _fault(path, number)
            yield b"", too_long()
            continue
        data = file.read(size)
        checksum = file.read(_CHECKSUM_BYTES)
        if len(checksum) < _CHECKSUM_BYTES:
            raise _fault(path, number)
        yield data, None if masked_checksum(data) == checksum else RecordError("wrong checksum: the record is damaged")


def _fault(path: str, number: int, found: str = "the end of the file within a record") -> JobError:
    return JobError(
        "A TFRecord file is damaged or has another format.",
        where=f"{path}, record {number}",
        found=found,
        expected="complete TFRecords; the names of compressed files end with .gz, .bz2, .xz or .zst",
        fix="Write the file again, or set corpus.format to its format.",
    )


class _Picker:
    """Extracts text and label, or tokens and tags, and source, id, split and weight from a serialized example."""

    def __init__(self, settings: CorpusSettings, encoding: TextEncoding) -> None:
        import tensorflow as tf

        self._settings, self._kind, self._encoding = settings, settings.kind, encoding
        self._is_sequence = settings.format == "tf_sequence_example"
        self._message = tf.train.SequenceExample if self._is_sequence else tf.train.Example

    def __call__(self, data: bytes) -> tuple[Any, ...]:
        """Returns the values of the roles.

        Raises:
            RecordError: If the record cannot be parsed, or a feature is missing.
        """
        settings = self._settings
        example, context = self._parse(data)
        named = (
            None if name is None else self._scalar(context, name, role)
            for role, name in ((role, getattr(settings, role)) for role in ROLES[2:])
        )
        if self._kind.tokenized:
            tokens, tags = self._tagged(example, context, settings.tokens, str(settings.tag))
            return *require_aligned(*sentence(tokens, tags, settings.numbered)), *named
        text = self._text(example, context)
        return text, None if settings.label is None else self._label(example, context, settings.label), *named

    def values(self, data: bytes) -> dict[str, list[Any]]:
        """Returns the values of all features, and those of all steps of feature lists.

        Raises:
            RecordError: If the record cannot be parsed.
        """
        example, context = self._parse(data)
        lists = example.feature_lists.feature_list if self._is_sequence else {}
        return {
            **{name: self._values(context[name]) for name in context},
            **{name: self._steps(example, name) or [] for name in lists},
        }

    def _parse(self, data: bytes) -> tuple[Any, Any]:
        """Returns an example and its features, without feature lists."""
        try:
            example = self._message.FromString(data)
        except DecodeError:
            raise RecordError(f"not a tf.{self._message.__name__}: the record cannot be parsed") from None
        return example, (example.context if self._is_sequence else example.features).feature

    def _text(self, example: Any, context: Any) -> str | Sequence[str] | None:
        """Returns the text; of several columns, all but one may be absent."""
        columns, found = self._settings.text_columns, list[str | Sequence[str] | None]()
        for name in columns:
            values = self._steps(example, name)
            if values is None and name in context:
                values = self._values(context[name])
            texts = None if values is None else _require_texts(values, "text")
            found.append(texts[0] if texts and len(texts) == 1 else texts)
        if all(texts is None for texts in found):
            self._feature(context, columns[0], "text")
        return join_columns(found)

    def _label(self, example: Any, context: Any, name: str) -> Label:
        """Returns the label, or in a multi-label corpus the values of a feature or feature list."""
        if not self._kind.multi_label:
            return self._scalar(context, name, "label", self._settings.numbered)
        values = self._steps(example, name)
        if values is None:
            values = self._values(self._feature(context, name, "label"))
        return label_texts(values, self._settings.numbered)

    def _tagged(self, example: Any, context: Any, tokens: str, tags: str) -> tuple[list[Any], list[Any]]:
        """Returns the values of the feature lists, or of a `tf.Example`'s features, of the tokens and tags."""
        lists = []
        for role, name in (("tokens", tokens), ("tags", tags)):
            values = (
                self._steps(example, name) if self._is_sequence else self._values(self._feature(context, name, role))
            )
            if values is None:
                raise RecordError(f"no {role}: no feature list {name!r}")
            lists.append(values)
        return _require_texts(lists[0], "tokens"), lists[1]

    def _steps(self, example: Any, name: str) -> list[Any] | None:
        """Returns all values of a feature list, or None if it is missing."""
        lists = example.feature_lists.feature_list if self._is_sequence else {}
        if name not in lists:
            return None
        return [value for feature in lists[name].feature for value in self._values(feature)]

    def _scalar(self, context: Any, name: str, role: str, names: Sequence[str] = ()) -> str | None:
        values = self._values(self._feature(context, name, role))
        if len(values) > 1:
            raise RecordError(f"{role} is a list: {len(values)} values in {name!r}")
        return scalar_text(values[0], role, names) if values else None

    def _values(self, feature: Any) -> list[Any]:
        """Returns the values of a feature, bytes as texts."""
        kind = feature.WhichOneof("kind")
        values = getattr(feature, kind).value if kind else ()
        return list(map(self._encoding.decode, values)) if kind == "bytes_list" else list(values)

    def _feature(self, context: Any, name: str, role: str) -> Any:
        if name in context:
            return context[name]
        names = ", ".join(ascii(key)[:40] for key in sorted(context)[:8]) or "none"
        raise RecordError(f"no {role}: no feature {name!r} among {names}")


def _require_texts(values: list[Any], role: str) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        kind = next("int64" if isinstance(value, int) else "float" for value in values if not isinstance(value, str))
        raise RecordError(f"{role} is not a string: found {kind} values")
    return values
