"""Documents as raw `tf.SequenceExample` records after the data contract."""

from __future__ import annotations

from components.corpus_example_gen.records import Document
from components.sequence_encoding import bytes_feature, sequence_example, step
from trainer import features


def encode(document: Document) -> bytes:
    """Serializes a document; equal documents give equal bytes.

    Args:
        document: What a reader found.

    Returns:
        A serialized `tf.SequenceExample` with the context features `id`, `source` and, where the
        document has one, `label` (the class name), and the feature list `text` of one step.
    """
    context = {features.ID: document.id, features.SOURCE: document.source, features.LABEL: document.label}
    return sequence_example(
        {name: bytes_feature(value.encode()) for name, value in context.items() if value is not None},
        {features.TEXT: step(bytes_feature(document.text.encode()))},
    )
