"""Texts of raw documents with their labels and weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.data import tfrecords
from trainer.data.kinds import CorpusKind

_BATCH = 1_000


class LabelledTexts(NamedTuple):
    """Documents in order.

    Attributes:
        texts: Their segments, joined by line feeds.
        labels: Their labels, sorted; exactly one unless the corpus has any number.
        weights: Their weights in training, float64 [documents]; 1 where the corpus has none.
    """

    texts: list[str]
    labels: list[tuple[str, ...]]
    weights: NDArray[np.float64]

    def every(self, step: int, first: int = 0) -> LabelledTexts:
        """Returns the document at `first` and each one that is a multiple of `step` after it."""
        return LabelledTexts(self.texts[first::step], self.labels[first::step], self.weights[first::step])


def join(parts: Sequence[LabelledTexts]) -> LabelledTexts:
    """Returns the documents of all parts."""
    weights = np.concatenate([np.zeros(0), *(part.weights for part in parts)])
    return LabelledTexts([t for part in parts for t in part.texts], [n for part in parts for n in part.labels], weights)


def read_texts(paths: Sequence[str], kind: CorpusKind) -> Iterator[LabelledTexts]:
    """Yields the documents of files of raw SequenceExamples in batches; none without files."""
    if paths:
        for serialized in tfrecords.stream(paths).batch(_BATCH):
            yield _parse(serialized, kind)


def _parse(serialized: tf.Tensor, kind: CorpusKind) -> LabelledTexts:
    raw = f.parse_raw(serialized, kind, weighted=True)
    texts = tf.strings.reduce_join(raw[f.TEXT].merge_dims(1, 2), axis=1, separator="\n").numpy()
    names = raw[f.LABELS].merge_dims(1, 2).to_list() if kind.multi_label else raw[f.LABEL].numpy()[:, None]
    weights = raw[f.WEIGHT].numpy().astype(np.float64)
    return LabelledTexts(
        [text.decode(errors="replace") for text in texts],
        [tuple(sorted(name.decode() for name in given)) for given in names],
        np.where(np.isnan(weights), 1.0, weights),
    )
