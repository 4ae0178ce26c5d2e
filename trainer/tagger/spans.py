"""Spans of tags in the schemes BIO (IOB1, IOB2), BIOES and BILOU."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

TagSpan = tuple[str, int, int]
"""Its type, and the indices of its first and last token."""

_SPAN_TAG = re.compile(r"O|[BIESLU](-.+)?")
_BILOU = {"L": "E", "U": "S"}
"""Last and unit, BILOU's names of BIOES's end and single."""
_NO_TYPE = "_"


def not_span_tags(tags: Iterable[str]) -> list[str]:
    """Returns, sorted, the tags other than `O`, and `B`, `I`, `E`, `S`, `L` and `U` with or without a type: `B-LOC`."""
    return sorted(tag for tag in tags if not _SPAN_TAG.fullmatch(tag))


def spans(tags: Sequence[str]) -> set[TagSpan]:
    """Returns the spans of a sentence, from the span tag of each token; spans do not overlap.

    Any sequence is valid, as in conlleval (Tjong Kim Sang and Buchholz 2000, Introduction to the CoNLL-2000 Shared
    Task, section 4) and in seqeval's default mode: an `I` that continues no span of its type starts one. BILOU's `L`
    and `U`, which that mode does not know, count as `E` and `S`.
    """
    found: set[TagSpan] = set()
    before, kind, start = "O", _NO_TYPE, 0
    for place, tag in enumerate([*tags, "O"]):
        part, type_ = _BILOU.get(tag[0], tag[0]), tag[2:] or _NO_TYPE
        continues = before in "BI" and part in "IE" and type_ == kind
        if not continues:
            if before != "O":
                found.add((kind, start, place - 1))
            start = place
        before, kind = part, type_
    return found
