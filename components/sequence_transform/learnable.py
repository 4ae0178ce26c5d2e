"""The check that a corpus has something to learn."""

from __future__ import annotations

from components.sequence_transform.vocabulary import TokenCounts
from trainer.data.kinds import CorpusKind
from trainer.errors import JobError

_CLASSES = ("class", "classes", "corpus.label")


def require_learnable(counts: TokenCounts, kind: CorpusKind) -> None:
    """Checks that the classes or tags of the train split tell its documents or tokens apart.

    Raises:
        JobError: If there is only one, or if every document has exactly the same labels.
    """
    found = sorted(name for name, number in counts.classes.items() if number)
    listed = ", ".join(found[:10]) or "none"
    where = "SequenceTransform, split train"
    if kind.multi_label and all(counts.classes[name] == counts.documents for name in found):
        raise JobError(
            "All documents of the train split have the same labels.",
            where=where,
            found=f"{listed}, on each of {counts.documents} documents",
            expected="at least one class that some documents have and others do not",
            fix="Check corpus.label, and how the corpus was filtered.",
        )
    if not kind.multi_label and len(found) < 2:
        one, many, key = ("tag", "tags", "the column of the tags") if kind.tokenized else _CLASSES
        raise JobError(
            f"The train split has only one {one}.",
            where=where,
            found=listed,
            expected=f"at least two {many}",
            fix=f"Check {key}, and how the corpus was filtered.",
        )
