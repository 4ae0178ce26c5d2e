"""CoNLL-U: one word per line in ten columns, comments before a sentence, a blank line after it.

Follows "CoNLL-U Format" of Universal Dependencies. Lines of multiword tokens (ids 1-2) and empty nodes (5.1) are not
words of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from components.corpus_example_gen.documents import MAX_SENTENCE_BYTES, Part, Record, RecordError, too_long
from components.corpus_example_gen.readers.document_builder import DocumentBuilder
from components.corpus_example_gen.readers.lines import Lines, lines_before
from components.corpus_example_gen.settings import CorpusSettings

CONLLU_COLUMNS = 10
_FORM, _FEATS = 1, 5
_TAGS = {"upos": 3, "xpos": 4}
NO_WORD = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|[0-9]+\.[1-9][0-9]*")
"""The ids of multiword tokens and of empty nodes."""
_WORD = re.compile(r"[1-9][0-9]*")
_UNSPECIFIED = "_"


def read_conllu(file: BinaryIO, part: Part, settings: CorpusSettings) -> Iterator[Record]:
    """Reads the sentences of a part; a comment `# key = value` gives a sentence its id or source.

    One bad line makes the whole sentence bad.
    """
    lines = Lines(file, part, settings)
    builder = DocumentBuilder(part, settings, lines.encoding, lambda: lines_before(part))
    tag_of = _picker(settings.tag or "upos")
    for number, raw in lines.blocks(MAX_SENTENCE_BYTES):
        try:
            if len(raw) > MAX_SENTENCE_BYTES:
                raise too_long(MAX_SENTENCE_BYTES)
            comments, rows = _sentence(lines.encoding.decode(raw).replace("\r\n", "\n"))
            if rows:
                source, identity = (comments.get(key) for key in (settings.source or "", settings.id or ""))
                tags = [tag_of(row, position) for position, row in enumerate(rows, 1)]
                yield builder.tagged(number, [row[_FORM] for row in rows], tags, source, identity)
        except RecordError as error:
            yield builder.bad(number, str(error), raw)


def _sentence(text: str) -> tuple[dict[str, str], list[list[str]]]:
    """Returns the comments by key, and the columns of the words."""
    comments, rows = {}, []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            comments[key.strip()] = value.strip()
        elif line:
            columns = line.split("\t")
            if len(columns) != CONLLU_COLUMNS:
                found = f"{len(columns)} in line {number} of the sentence"
                raise RecordError(f"wrong number of columns: {found}, CoNLL-U has {CONLLU_COLUMNS}")
            if _WORD.fullmatch(columns[0]):
                rows.append(columns)
            elif not NO_WORD.fullmatch(columns[0]):
                raise RecordError(f"bad word id: {columns[0][:40]!a} in line {number} of the sentence")
            if not columns[_FORM].strip():
                raise RecordError(f"no token: FORM is empty in line {number} of the sentence")
    return comments, rows


def _picker(tag: str) -> Callable[[list[str], int], str]:
    """Returns a function from the columns of a word and its position to its tag."""
    column = _TAGS.get(tag)
    if column is None:

        def feature(row: list[str], _position: int) -> str:
            pairs = (pair.partition("=") for pair in row[_FEATS].split("|"))
            return next((value for name, _, value in pairs if name == tag), _UNSPECIFIED) or _UNSPECIFIED

        return feature

    def value(row: list[str], position: int) -> str:
        if row[column] in ("", _UNSPECIFIED):
            raise RecordError(f"no tag: {tag.upper()} is not specified at token {position} of the sentence")
        return row[column]

    return value
