"""JSON lines: one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from components.corpus_example_gen.documents import MAX_DOCUMENT_BYTES, Part, Record, RecordError, too_long
from components.corpus_example_gen.readers.document_builder import DocumentBuilder
from components.corpus_example_gen.readers.json_values import pick, pick_tagged, require_object
from components.corpus_example_gen.readers.lines import Lines, lines_before
from components.corpus_example_gen.readers.text_encoding import TextEncoding
from components.corpus_example_gen.settings import CorpusSettings

_ARRAY_HINT = "; if the file is a JSON array, set corpus.format: json"


def read_jsonl(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads the JSON objects of a part; skips blank lines."""
    lines = Lines(file, part, settings)
    encoding = lines.encoding
    builder = DocumentBuilder(part, settings, encoding, lambda: lines_before(part))
    build, values = (builder.tagged, pick_tagged) if settings.kind.tokenized else (builder.document, pick)
    for number, raw in enumerate(lines, 1):
        if encoding.is_blank(raw):
            continue
        try:
            yield build(number, *values(_parse(raw, encoding), settings))
        except RecordError as error:
            yield builder.bad(number, str(error), raw)


def _parse(raw: bytes, encoding: TextEncoding) -> dict[str, Any]:
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise too_long()
    text = encoding.decode(raw)
    try:
        value = json.loads(text)
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            raise RecordError(f"not an object: found a list of objects{_ARRAY_HINT}")
        return require_object(value)
    except json.JSONDecodeError as error:
        hint = _ARRAY_HINT if text.lstrip().startswith("[") else ""
        raise RecordError(f"broken JSON: {error.msg} at character {error.pos}{hint}") from None
    except (ValueError, RecursionError) as error:
        raise RecordError(f"broken JSON: {error}") from None
