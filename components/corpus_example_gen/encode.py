"""Documents as raw `tf.SequenceExample` records after the data contract."""

from __future__ import annotations

import tensorflow as tf

from components.corpus_example_gen.records import Document
from trainer import features


def encode(document: Document) -> bytes:
    """Serializes a document; equal documents give equal bytes.

    Args:
        document: What a reader found.

    Returns:
        A serialized `tf.SequenceExample` with the context features `id`, `source` and, where the
        document has one, `label` (the class name), and the feature list `text` of one step.
    """
    example = tf.train.SequenceExample()
    context = example.context.feature
    context[features.ID].bytes_list.value.append(document.id.encode())
    context[features.SOURCE].bytes_list.value.append(document.source.encode())
    if document.label is not None:
        context[features.LABEL].bytes_list.value.append(document.label.encode())
    step = example.feature_lists.feature_list[features.TEXT].feature.add()
    step.bytes_list.value.append(document.text.encode())
    serialized: bytes = example.SerializeToString(deterministic=True)
    return serialized
