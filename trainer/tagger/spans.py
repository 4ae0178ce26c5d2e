"""Spans that tags of the schemes BIO and BIOES mark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Span = tuple[str, int, int]
"""Its type, and the places of its first and its last token."""

_SPAN_TAG = re.compile(r"O|[BIES](-.+)?")
_NO_TYPE = "_"


def is_span_tag(tag: str) -> bool:
    """Tells whether a tag is `O`, or `B`, `I`, `E` or `S` with or without a type, as in `B-LOC`."""
    return _SPAN_TAG.fullmatch(tag) is not None


def not_span_tags(tags: Iterable[str]) -> list[str]:
    """Returns the tags that mark neither a part of a span nor what lies outside, sorted."""
    return sorted(tag for tag in tags if not is_span_tag(tag))


def spans(tags: Sequence[str]) -> set[Span]:
    """Finds the spans of a sentence.

    Any sequence has spans, as in the script conlleval of Tjong Kim Sang and Buchholz (2000), Introduction to the
    CoNLL-2000 Shared Task, section 4, and in seqeval's default mode: an `I` that continues no span of its type
    starts one.

    Args:
        tags: A tag for each token, each one a span tag.

    Returns:
        The spans; no token is in two.
    """
    found: set[Span] = set()
    before, kind, start = "O", _NO_TYPE, 0
    for place, tag in enumerate([*tags, "O"]):
        part, type_ = tag[0], tag[2:] or _NO_TYPE
        continues = before in "BI" and part in "IE" and type_ == kind
        if not continues:
            if before != "O":
                found.add((kind, start, place - 1))
            start = place
        before, kind = part, type_
    return found
