"""The reader of transformed SequenceExamples; it needs only TensorFlow and the files, not the pipeline.

    from trainer.data.reading import Position, Usage, pack, read

    usage = Usage()
    for batch in read("examples/Split-train", batch_tokens=16_384, seed=1, epoch=0):
        train(batch["tokens"], batch["length"], batch["label"])  # [batch, time], [batch], [batch]
        usage.count(batch)
        saved = json.dumps(Position.after(batch))
    print(usage.tokens, usage.padded, usage.waste)

    rest = read("examples/Split-train", batch_tokens=16_384, seed=1, epoch=0, position=json.loads(saved))

`read` returns batches of documents of similar lengths; `pack` returns rows of joined documents for language models.
Both yield the same batches in the same order for the same arguments, regardless of TensorFlow's global seed, resume
from any `position`, share an epoch between workers, and keep only a few windows of records in memory.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from trainer.data import features as f
from trainer.data import parsing, tfrecords
from trainer.data.kinds import CorpusKind
from trainer.data.packing import SEGMENT, pack
from trainer.data.position import POSITION, Position, Worker, remaining, resume, start

__all__ = ["POSITION", "Position", "Usage", "batch_bounds", "pack", "pad", "read"]

_NO_LIMIT = tf.int64.max


@dataclasses.dataclass
class Usage:
    """Counts of the contents of `read` or `pack` batches.

    Attributes:
        documents: Documents; if packed, those that begin in the batches.
        steps: Batches.
        tokens: Ids without padding; a document without tokens counts as one.
        padded: Ids including padding.
    """

    documents: int = 0
    steps: int = 0
    tokens: int = 0
    padded: int = 0

    def count(self, batch: Mapping[str, tf.Tensor]) -> None:
        """Adds a batch."""
        if SEGMENT in batch:
            real = tf.cast(batch[SEGMENT] > 0, tf.int64)
            self.documents += int(tf.reduce_sum(real * tf.cast(batch["offset"] == 0, tf.int64)))
            self.tokens += int(tf.reduce_sum(real))
        else:
            self.documents += int(batch[f.LENGTH].shape[0])
            # On the host, where the reader leaves its batches; a TensorFlow operation would wait for a step's device.
            self.tokens += int(np.asarray(batch[f.LENGTH]).sum())
        self.steps += 1
        self.padded += math.prod(batch[f.TOKENS].shape)

    @property
    def waste(self) -> float:
        """The proportion of ids that are padding."""
        return 1 - self.tokens / self.padded if self.padded else 0.0


def read(
    files: str | Sequence[str],
    *,
    batch_tokens: int,
    window: int = 6_400,
    batch_documents: int | None = None,
    seed: int | None = None,
    epoch: int = 0,
    worker: tuple[int, int] = (0, 1),
    position: Sequence[int] | None = None,
) -> tf.data.Dataset:
    """Reads one pass over a split as batches of similar lengths.

    Each window of documents is sorted by length and split into batches whose padded size stays within the budget; a
    document longer than the budget is a batch of its own. With a seed, the order of documents and of the batches of
    a window is random and depends on the seed and the epoch.

    Workers that read with the same arguments except their number get the same number of batches, of about the same
    width at each step, and each document is in exactly one. Every worker reads all files and all document lengths
    (millions a second), but parses only its own documents. If a window has too few batches, its fullest are halved;
    only if it has fewer documents than there are workers do some get a batch of no documents (`tokens` [0, 1]).

    Args:
        files: One or several folders of TFRecord files of transformed SequenceExamples, for example `Split-train`,
            patterns or files. GZIP files end in `.gz`. Padding in the records is left out.
        batch_tokens: Maximum number of ids in a batch, including padding.
        window: Documents sorted together.
        batch_documents: Maximum number of documents in a batch; None: any number.
        seed: Seed of the order; None keeps the order of the files from window to window.
        epoch: Number of the pass, part of the seed.
        worker: The number of this worker, from 0, and the number of workers.
        position: Where to resume: `Position.after` the last batch done, of any worker; None: at the start. Earlier
            windows are read but not parsed.

    Returns:
        A dataset of features: `tokens` int64 [batch, time] padded on the right, `length` int64
        [batch] (at least 1), `id` and `source` string [batch], `position` int64 [4]; in labelled corpora
        `label` int64 [batch] or, with several labels, `labels` int64 [batch, max labels] padded with -1; in
        tagged ones `tags` int64 and `words` string [batch, time]; if documents have weights, `weight` float32 [batch].

    Raises:
        JobError: If there are no files, or the position belongs to another epoch or other arguments.
    """
    paths, own = tfrecords.find(files), Worker(*worker)
    arguments = ("read", batch_tokens, window, batch_documents, seed, own.count)
    origin = resume(start(epoch, paths, arguments), position)
    found = tfrecords.kind(paths), tfrecords.weighted(paths), tfrecords.compression(paths[0])
    limits = (batch_tokens, batch_documents or _NO_LIMIT)
    read_pass = _compiled(*found, limits, window, own, seed is not None)
    return tfrecords.without_autotune(read_pass(*tfrecords.ordered(paths, seed, epoch), tf.constant(origin, tf.int64)))


@functools.lru_cache(maxsize=32)
def _compiled(
    kind: CorpusKind, weighted: bool, codec: str, limits: tuple[int, int], window: int, worker: Worker, shuffle: bool
) -> tfrecords.ReadPass:
    """Compiles the reading of a pass once for all epochs, since tracing takes half a second.

    `limits` are the maximum numbers of ids and of documents in a batch.
    """

    @tf.autograph.experimental.do_not_convert
    def read_pass(paths: tf.Tensor, seed: tf.Tensor, start: tf.Tensor) -> tf.data.Dataset:
        """Reads files, string [files], with a seed, int32 [], from a position, int64 [4]."""
        origin = Position(*tf.unstack(start, len(Position._fields)))

        def split(number: tf.Tensor, serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            """Sorts the documents of a window by length, and computes the bounds of each batch in that order."""
            lengths = parsing.lengths(serialized)
            by_length = tf.argsort(lengths, direction="DESCENDING", stable=True)
            bounds = _steps(tf.gather(lengths, by_length), limits, worker)
            if shuffle:
                bounds = tf.gather(bounds, tfrecords.permutation(tf.shape(bounds)[0], [seed, number]))
            return number, serialized, by_length, bounds

        def gather(
            number: tf.Tensor, serialized: tf.Tensor, by_length: tf.Tensor, bounds: tf.Tensor
        ) -> tf.data.Dataset:
            """Gathers the records of each batch that is not done."""
            return remaining(origin, number, bounds).map(
                lambda bound, position: (tf.gather(serialized, by_length[bound[0] : bound[1]]), position)
            )

        def parse(serialized: tf.Tensor, position: tf.Tensor) -> f.Features:
            return {**parsing.padded_batch(serialized, kind, weighted=weighted), POSITION: position}

        windows = tfrecords.windows(paths, codec, window, seed if shuffle else None).enumerate().skip(origin.window)
        batches = windows.map(split).prefetch(1).flat_map(gather)
        return batches.map(parse, num_parallel_calls=tfrecords.PARALLEL, deterministic=True).prefetch(4)

    compiled: tfrecords.ReadPass = tf.function(read_pass, input_signature=tfrecords.PASS_SIGNATURE)
    return compiled


def pad(tokens: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pads a batch on the right to its longest document.

    Args:
        tokens: Ids, ragged int64 [batch, time].

    Returns:
        Ids, int64 [batch, time], at least one step wide, and lengths, int64 [batch]. A document without tokens has
        length 1 and one `<pad>`, because recurrent kernels reject empty sequences.
    """
    width = tf.maximum(tokens.bounding_shape(axis=1), 1)
    padded = tokens.to_tensor(f.PAD, shape=tf.stack([tf.constant(-1, tf.int64), width]))
    return tf.ensure_shape(padded, [None, None]), tf.maximum(tokens.row_lengths(), 1)


def batch_bounds(
    lengths: tf.Tensor, batch_tokens: int, batch_documents: int = _NO_LIMIT
) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits documents sorted by decreasing length into batches under a token budget.

    Args:
        lengths: Decreasing lengths, int64 [documents].
        batch_tokens: Maximum number of ids in a batch, padded to its first document.
        batch_documents: Maximum number of documents in a batch.

    Returns:
        The first row of each batch and the row after its last, int64 [batches] each.
    """
    documents = tf.size(lengths, tf.int64)

    def append(start: tf.Tensor, starts: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        within_budget = tf.maximum(batch_tokens // tf.maximum(lengths[start], 1), 1)
        rows = tf.minimum(within_budget, batch_documents)
        return start + rows, starts.write(starts.size(), start)

    empty = tf.TensorArray(tf.int64, size=0, dynamic_size=True, element_shape=[])
    _, written = tf.while_loop(lambda start, _: start < documents, append, (tf.constant(0, tf.int64), empty))
    starts = written.stack()
    return starts, tf.concat([starts[1:], [documents]], 0)


def _steps(lengths: tf.Tensor, limits: tuple[int, int], worker: Worker) -> tf.Tensor:
    """Returns the bounds of one worker's batch at each step, int64 [steps, 2], from decreasing lengths."""
    starts, stops = batch_bounds(lengths, *limits)
    if worker.count == 1:
        return tf.stack([starts, stops], axis=1)
    documents = tf.size(lengths, tf.int64)

    def halve_fullest(starts: tf.Tensor) -> tuple[tf.Tensor]:
        rows = tf.concat([starts[1:], [documents]], 0) - starts
        fullest = tf.argmax(rows)
        return (tf.sort(tf.concat([starts, [starts[fullest] + (rows[fullest] + 1) // 2]], 0)),)

    (starts,) = tf.while_loop(
        lambda starts: tf.size(starts) % worker.count != 0,
        halve_fullest,
        (starts,),
        shape_invariants=(tf.TensorShape([None]),),
    )
    bounds = tf.stack([starts, tf.concat([starts[1:], [documents]], 0)], axis=1)
    return tf.reshape(bounds, [-1, worker.count, 2])[:, worker.number]
