"""Documents with predicted and true classes, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f

_SHOWN_TOKENS = 60


def describe(batch: f.Features, logits: tf.Tensor, target: str, words: Sequence[str], classes: Sequence[str]) -> str:
    """Formats documents, truncated to 60 tokens each, as paragraphs of Markdown.

    Args:
        batch: Documents, with `tokens`, `length` and the target.
        logits: Float [batch, classes], or [batch, time, classes] for targets at steps.
        target: The feature that is predicted.
        words: The word of each id; ids beyond them are buckets of unknown words.
        classes: The name of each class.

    Returns:
        The prediction and the true class before each document, or after each token.
    """
    found, true = np.argmax(logits, -1), np.asarray(batch[target])
    if true.ndim == 1:
        return _with_labels(batch, words, found[:, np.newaxis], true[:, np.newaxis], classes)
    paragraphs = []
    for (shown, rest), tags, truth in zip(_words(batch, words), found, true, strict=True):
        answers = (_answer([tag], [other], classes) for tag, other in zip(tags, truth, strict=True))
        paragraphs.append(" ".join(map("/".join, zip(shown, answers, strict=False))) + rest)
    return "\n\n".join(paragraphs)


def describe_labels(
    batch: f.Features, logits: tf.Tensor, target: str, words: Sequence[str], classes: Sequence[str]
) -> str:
    """Formats documents with any number of labels, as `describe` does.

    The target holds class ids, padded with -1; a label is predicted if its logit, float [batch, classes], is 0 or more.
    """
    found = map(np.flatnonzero, np.asarray(logits) >= 0)
    true = (row[row >= 0] for row in np.asarray(batch[target]))
    return _with_labels(batch, words, found, true, classes)


def _with_labels(
    batch: f.Features,
    words: Sequence[str],
    found: Iterable[NDArray[np.int64]],
    true: Iterable[NDArray[np.int64]],
    classes: Sequence[str],
) -> str:
    rows = zip(_words(batch, words), found, true, strict=True)
    return "\n\n".join(
        f"{_answer(best, truth, classes)}: {' '.join(shown)}{rest}" for (shown, rest), best, truth in rows
    )


def _words(batch: f.Features, words: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """The first words of each document, and an ellipsis if it has more."""
    for tokens, length in zip(np.asarray(batch[f.TOKENS]), np.asarray(batch[f.LENGTH]), strict=True):
        shown = tokens[: min(length, _SHOWN_TOKENS)]
        found = [_escape(words[token] if token < len(words) else words[f.UNK]) for token in shown]
        yield found, " …" if length > _SHOWN_TOKENS else ""


def _answer(found: Iterable[int], true: Iterable[int], classes: Sequence[str]) -> str:
    """The predicted classes, in bold with the true ones if they are wrong."""
    names, truth = (", ".join(_escape(classes[one]) for one in ids) or "no label" for ids in (found, true))
    return names if names == truth else f"**{names} (true: {truth})**"


def _escape(text: str) -> str:
    """Prevents Markdown and HTML from interpreting a token such as `<unk>` or `*`."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|" else sign for sign in text)
