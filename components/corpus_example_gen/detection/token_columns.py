"""Recognizes files of tagged sentences: CoNLL columns and CoNLL-U."""

from __future__ import annotations

import re
from collections import Counter

from components.corpus_example_gen.detection.guess import Guess, shown
from components.corpus_example_gen.readers.conllu_reader import CONLLU_COLUMNS, NO_WORD

_SUFFIXES = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".bioes", ".ner", ".pos")
_BLOCKS = 1_000
_BLANK_LINES = re.compile(r"\n(?:[ \t\r]*\n)+")
_MAX_COLUMNS = 30
_EVEN, _MOSTLY = 0.9, 0.5
_MAX_TAG_SHARE = 0.3
_COMMENT = "# "


def is_conllu(text: str) -> bool:
    """Whether the lines of a text are words in CoNLL-U's ten columns."""
    lines = [line for line in text.splitlines()[: 20 * _BLOCKS] if line.strip() and not line.startswith("#")]
    rows = [line.split("\t") for line in lines]
    words = [row for row in rows if len(row) == CONLLU_COLUMNS and (row[0].isdigit() or NO_WORD.fullmatch(row[0]))]
    return bool(rows) and len(words) >= _EVEN * len(rows)


def conllu(text: str) -> Guess:
    """Returns how to read a file in CoNLL-U."""
    guess = Guess()
    guess.set("format", "conllu", "ten columns, and a blank line after each sentence")
    words = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    rows = [row for row in words if len(row) == CONLLU_COLUMNS and row[0].isdigit()]
    for name, column in (("upos", 3), ("xpos", 4)):
        if sum(row[column] != "_" for row in rows) > _EVEN * len(rows):
            guess.set("tag", name, f"{len({row[column] for row in rows}):,} tags; or xpos, or a feature such as Case")
            break
    return guess


def conll(text: str, suffix: str, *, is_complete: bool) -> Guess | None:
    """Returns how to read a file of columns with a blank line between sentences, None if it is none.

    Args:
        text: The start of the file.
        suffix: The suffix of its name.
        is_complete: Whether the text is the whole file.
    """
    blocks = [block for block in _BLANK_LINES.split(text, maxsplit=_BLOCKS)[:_BLOCKS] if block.strip()]
    blocks = blocks if is_complete or len(blocks) == _BLOCKS or len(blocks) < 2 else blocks[:-1]
    lines = [line for block in blocks for line in block.splitlines() if line and not line.startswith("-DOCSTART-")]
    rows = [line.split() for line in lines]
    is_named = suffix in _SUFFIXES
    if not rows or not (is_named or (len(blocks) > 1 and len(rows) > 2 * len(blocks))):
        return None
    (width, count), *_ = Counter(map(len, rows)).most_common(1)
    comments = {line for line in lines if line.startswith(_COMMENT) and len(line.split()) != width}
    tabs = Counter(line.count("\t") + 1 for line in lines if not line.startswith(_COMMENT))
    by_tabs = not comments and len(tabs) == 1 and min(tabs) >= 2 and count < len(rows)
    share = 1.0 if by_tabs else count / max(sum(line not in comments for line in lines), 1)
    width = min(tabs) if by_tabs else width
    if not 2 <= width <= _MAX_COLUMNS or share < (_MOSTLY if is_named else _EVEN):
        return None
    words = [line.split("\t") if by_tabs else line.split() for line in lines if line not in comments]
    tags = Counter(row[-1] for row in words)
    if not is_named and not _are_tags(tags, len(words)):
        return None
    return _columns(width, tags, by_tabs=by_tabs, comments=bool(comments), uneven=share < 1)


def _are_tags(tags: Counter[str], words: int) -> bool:
    """Whether the last words of the lines of a file are tags, not the ends of verses."""
    return 2 <= len(tags) <= max(_MAX_TAG_SHARE * words, 2) and sum(map(str.islower, tags)) <= len(tags) / 2


def _columns(width: int, tags: Counter[str], *, by_tabs: bool, comments: bool, uneven: bool) -> Guess:
    guess = Guess()
    guess.set("format", "conll", "one token per line, a blank line between sentences")
    if by_tabs:
        guess.set("delimiter", "\t", "tokens hold blanks")
    columns: dict[str, object] = {"token": 1, "tag": -1}
    if comments:
        columns["comment"] = _COMMENT
    if uneven:
        columns["uneven"] = True
    guess.set("columns", columns, f"{width} columns; the last one has the tags {shown(sorted(tags), 6)}")
    if width > 2:
        guess.remarks.append(f"Of {width} columns, the first is read as the token and the last as its tag (columns).")
    return guess
