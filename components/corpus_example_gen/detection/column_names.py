"""Words in the names of columns of public corpora, by what the columns hold."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TEXTS = _words(
    "text body content review message comment sentence document tweet article post utterance question description"
)
"""Texts; names that come first are more likely."""
LABELS = _words(
    "label labels class classes category categories sentiment target polarity rating stars topic topics intent emotion"
    " emotions genre genres queue spam tag tags keywords type score y"
)
"""Labels; names that come first are more likely."""
SEVERAL_LABELS = frozenset(_words("labels classes categories topics genres tags keywords emotions"))
"""Several labels in one value."""
TOKENS = _words("tokens token words word forms form")
"""Lists of tokens."""
TAGS = _words("ner upos pos tags tag labels chunk xpos")
"""Lists of tags."""
SOURCES = frozenset(_words("source site domain origin publisher outlet dataset forum channel"))
"""Where a document is from."""
SPLITS = frozenset(_words("split fold partition subset"))
"""The split of a document."""
SPLIT_VALUES = {
    **dict.fromkeys(_words("train training"), "train"),
    **dict.fromkeys(_words("eval dev val valid validation"), "eval"),
    **dict.fromkeys(_words("test testing"), "test"),
}
"""The splits by their usual names."""
OTHERS = frozenset(
    _words(
        "id ids uuid index key name user author date time timestamp year month day created updated url link lang"
        " language country city version count length number page file path title email phone price subject"
    )
)
"""Neither labels nor, if there is something better, texts."""
KNOWN = frozenset((*TEXTS, *LABELS, *SOURCES, *SPLITS, *OTHERS))
"""Words that names of columns have, more often than values do."""
