"""The kinds of corpora: their raw and transformed features and their labels."""

from __future__ import annotations

import dataclasses

ID, SOURCE, LENGTH = "id", "source", "length"
TEXT, TOKENS = "text", "tokens"
LABEL, LABELS, TAGS = "label", "labels", "tags"
WORDS = "words"
"""The normalized tokens of a tagged corpus as text: their spelling, of which ids of rare words know nothing."""


@dataclasses.dataclass(frozen=True)
class CorpusKind:
    """One kind of corpus.

    Attributes:
        name: Its name in component parameters, in `settings.json` and as the file name of its curated schema.
        raw: Raw features, the inputs of its transform graph.
        transformed: Transformed features.
        target: The feature, raw and transformed, that a model learns to predict, if any.
        classes_file: The file in the transform graph's directory with the class names, one per line, in id order.
    """

    name: str
    raw: tuple[str, ...]
    transformed: tuple[str, ...]
    target: str | None = None
    classes_file: str | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def tokenized(self) -> bool:
        """Whether documents are tokens, each with its own class, rather than text."""
        return TOKENS in self.raw

    @property
    def multi_label(self) -> bool:
        """Whether a document has any number of classes."""
        return self.target == LABELS


PLAIN_TEXT = CorpusKind("text", (ID, SOURCE, TEXT), (ID, SOURCE, LENGTH, TOKENS))
LABELLED_TEXT = CorpusKind(
    "labelled_text", (ID, SOURCE, LABEL, TEXT), (ID, SOURCE, LABEL, LENGTH, TOKENS), LABEL, "labels.txt"
)
MULTI_LABELLED_TEXT = CorpusKind(
    "multi_labelled_text", (ID, SOURCE, LABELS, TEXT), (ID, SOURCE, LABELS, LENGTH, TOKENS), LABELS, "labels.txt"
)
TAGGED_TEXT = CorpusKind(
    "tagged_text", (ID, SOURCE, TOKENS, TAGS), (ID, SOURCE, LENGTH, TOKENS, WORDS, TAGS), TAGS, "tags.txt"
)

KINDS = {kind.name: kind for kind in (PLAIN_TEXT, LABELLED_TEXT, MULTI_LABELLED_TEXT, TAGGED_TEXT)}
"""All kinds by name."""


def by_name(name: str) -> CorpusKind:
    """Returns the kind of corpus with a name; raises ValueError for an unknown one."""
    if name not in KINDS:
        raise ValueError(f"{name!r} is not a kind of corpus: expected one of {', '.join(KINDS)}")
    return KINDS[name]
