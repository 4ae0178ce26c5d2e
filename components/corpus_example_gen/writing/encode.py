"""Encodes documents as raw `tf.SequenceExample` records of the data contract."""

from __future__ import annotations

from components.corpus_example_gen.documents import Document
from components.shared.sequence_encoding import bytes_feature, float_feature, sequence_example, step
from trainer.data import features


def encode(document: Document) -> bytes:
    """Serializes a document to a `tf.SequenceExample`; equal documents give equal bytes.

    The context features are `id`, `source` and optionally `label` (the class name) and `weight` (float). The feature
    lists are `text` with one step per segment, or `tokens` and `tags` with one step per token; and in a multi-label
    corpus `labels` with one step per class name.
    """
    context = {features.ID: document.id, features.SOURCE: document.source, features.LABEL: document.label}
    lists = (
        {features.TOKENS: document.tokens, features.TAGS: document.tags}
        if document.tokens
        else {features.TEXT: document.segments}
    )
    if document.labels is not None:
        lists[features.LABELS] = document.labels
    values = {name: bytes_feature(value.encode()) for name, value in context.items() if value is not None}
    if document.weight is not None:
        values[features.WEIGHT] = float_feature(document.weight)
    steps = {name: b"".join([step(bytes_feature(text.encode())) for text in texts]) for name, texts in lists.items()}
    return sequence_example(values, steps)
