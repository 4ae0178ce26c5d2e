"""Reads batches from transformed examples with our reader or the usual one of tf.data, or counts documents and tokens.

Run `python -m bench.datasets.data_read READER BATCH_TOKENS FILE...`, or with `count FILE...`; prints one JSON object.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from trainer.classifier.settings import ClassifierSettings
from trainer.data import features as f
from trainer.data.reading import read

_WINDOW = ClassifierSettings().window
_SEED = 1
_SHORTEST, _STEP = 8, 1.1


@dataclasses.dataclass(frozen=True)
class Pass:
    """A full pass over files: documents, their tokens without and with padding, and its duration."""

    documents: int
    tokens: int
    padded: int
    seconds: float


def usual(files: Sequence[str], batch_tokens: int) -> tf.data.Dataset:
    """`parse_single_sequence_example` and `bucket_by_sequence_length`, shuffled in a buffer of the same size.

    Bucket boundaries grow by a tenth, as in tensor2tensor; a bucket's longest document sets its batch size.
    """
    boundaries = bucket_boundaries(batch_tokens)
    # A boundary is the first length of the next bucket.
    sizes = [batch_tokens // (boundary - 1) for boundary in boundaries] + [1]
    records = tf.data.TFRecordDataset(list(files), "GZIP", num_parallel_reads=tf.data.AUTOTUNE)
    documents = records.shuffle(_WINDOW, seed=_SEED).map(_parse_single, num_parallel_calls=tf.data.AUTOTUNE)
    batches = documents.bucket_by_sequence_length(lambda document: tf.size(document[f.TOKENS]), boundaries, sizes)
    return batches.prefetch(tf.data.AUTOTUNE)


def bucket_boundaries(longest: int) -> list[int]:
    """Returns the first lengths of the buckets after the first, each a tenth above the previous one."""
    boundaries, length = [], _SHORTEST
    while length < longest:
        boundaries.append(length)
        length = max(length + 1, int(length * _STEP))
    return boundaries


def _parse_single(serialized: tf.Tensor) -> f.Features:
    context, lists = tf.io.parse_single_sequence_example(
        serialized,
        {
            **{name: tf.io.FixedLenFeature([], tf.string) for name in (f.ID, f.SOURCE)},
            **{name: tf.io.FixedLenFeature([], tf.int64) for name in (f.LABEL, f.LENGTH)},
        },
        {f.TOKENS: tf.io.FixedLenSequenceFeature([], tf.int64)},
    )
    return {**context, **lists}


READERS: Mapping[str, Callable[[Sequence[str], int], tf.data.Dataset]] = {
    "seqloom": lambda files, batch_tokens: read(files, batch_tokens=batch_tokens, window=_WINDOW, seed=_SEED),
    "tf.data": usual,
}
"""The readers by name; both shuffle, and limit batches only by a budget of tokens."""


def one_pass(dataset: tf.data.Dataset) -> Pass:
    """Measures a pass over batches."""
    documents = tokens = padded = 0
    start = time.perf_counter()
    for batch in dataset:
        rows, width = batch[f.TOKENS].shape
        documents, padded = documents + rows, padded + rows * width
        tokens += int(tf.reduce_sum(batch[f.LENGTH]))
    return Pass(documents, tokens, padded, time.perf_counter() - start)


def count(files: Sequence[str]) -> dict[str, int]:
    """Counts documents and token ids in files of tf.Example or tf.SequenceExample, distinguished by their fields."""
    documents = tokens = 0
    for record in tf.data.TFRecordDataset(list(files), "GZIP").as_numpy_iterator():
        # The context of a SequenceExample and the features of an Example have the same field number.
        example = tf.train.SequenceExample.FromString(record)
        documents += 1
        if f.TOKENS in example.feature_lists.feature_list:
            tokens += len(example.feature_lists.feature_list[f.TOKENS].feature)
        else:
            tokens += len(example.context.feature[f.TOKENS].int64_list.value)
    return {"documents": documents, "tokens": tokens}


def main(arguments: Sequence[str]) -> None:
    """Prints the result of one reader or of the count."""
    reader, *rest = arguments
    if reader == "count":
        answer = count(rest)
    else:
        batch_tokens, *files = rest
        dataset = READERS[reader](files, int(batch_tokens))
        # The first pass traces the functions and lets tf.data tune itself; only the second counts.
        one_pass(dataset)
        answer = dataclasses.asdict(one_pass(dataset))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
