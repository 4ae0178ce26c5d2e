"""Documents with what a model predicts and what is true, as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f

_SHOWN_TOKENS = 60


def describe(batch: f.Features, logits: tf.Tensor, target: str, words: Sequence[str], classes: Sequence[str]) -> str:
    """Writes documents, cut to 60 tokens each, as paragraphs of Markdown.

    Args:
        batch: Documents, with `tokens`, `length` and the target.
        logits: Float [batch, classes], or [batch, time, classes] for targets at steps.
        target: The feature that is predicted.
        words: The word of each id; ids beyond them are buckets of unknown words.
        classes: The name of each class.

    Returns:
        For each document its prediction and truth before its tokens, or at each token its own.
    """
    found, true = np.argmax(logits, -1), np.asarray(batch[target])
    rows = zip(np.asarray(batch[f.TOKENS]), np.asarray(batch[f.LENGTH]), found, true, strict=True)
    return "\n\n".join(_document(ids[:length], best, truth, words, classes) for ids, length, best, truth in rows)


def describe_labels(
    batch: f.Features, logits: tf.Tensor, target: str, words: Sequence[str], classes: Sequence[str]
) -> str:
    """Writes documents with any number of labels, as `describe` does.

    Args:
        batch: Documents, with `tokens`, `length` and the target, class ids filled up with -1.
        logits: Float [batch, classes]; a label is predicted from 0 on.
        target: The feature that is predicted.
        words: The word of each id; ids beyond them are buckets of unknown words.
        classes: The name of each class.
    """
    found = [np.flatnonzero(row) for row in np.asarray(logits) >= 0]
    true = [row[row >= 0] for row in np.asarray(batch[target])]
    rows = zip(np.asarray(batch[f.TOKENS]), np.asarray(batch[f.LENGTH]), found, true, strict=True)
    return "\n\n".join(
        f"{_labels(best, truth, classes)}: {_shown(ids[:length], words)}" for ids, length, best, truth in rows
    )


def _labels(found: NDArray[np.int64], true: NDArray[np.int64], classes: Sequence[str]) -> str:
    """The labels, in bold with the true ones where they are wrong."""
    names, truth = (", ".join(_escape(classes[one]) for one in ids) or "no label" for ids in (found, true))
    return names if names == truth else f"**{names} (true: {truth})**"


def _shown(tokens: NDArray[np.int64], words: Sequence[str]) -> str:
    return " ".join(_words(tokens, words)) + _more(tokens)


def _words(tokens: NDArray[np.int64], words: Sequence[str]) -> list[str]:
    return [_escape(words[token] if token < len(words) else words[f.UNK]) for token in tokens[:_SHOWN_TOKENS]]


def _more(tokens: NDArray[np.int64]) -> str:
    return " …" if len(tokens) > _SHOWN_TOKENS else ""


def _document(
    tokens: NDArray[np.int64],
    found: NDArray[np.int64],
    true: NDArray[np.int64],
    words: Sequence[str],
    classes: Sequence[str],
) -> str:
    if np.ndim(found):
        pairs = zip(_words(tokens, words), found, true, strict=False)
        return " ".join(f"{word}/{_answer(answer, truth, classes)}" for word, answer, truth in pairs) + _more(tokens)
    return f"{_answer(int(found), int(true), classes)}: {_shown(tokens, words)}"


def _answer(found: int, true: int, classes: Sequence[str]) -> str:
    """The class, in bold with the true one where it is wrong."""
    name, truth = _escape(classes[found]), _escape(classes[true])
    return name if found == true else f"**{name} (true: {truth})**"


def _escape(text: str) -> str:
    """Keeps a token such as `<unk>` or `*` from being read as Markdown or HTML."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|" else sign for sign in text)
