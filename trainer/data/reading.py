"""The reader of transformed SequenceExamples; it needs TensorFlow and the files, nothing of a pipeline.

    from trainer.data.reading import Position, Usage, pack, read

    usage = Usage()
    for batch in read("examples/Split-train", batch_tokens=16_384, seed=1, epoch=0):
        train(batch["tokens"], batch["length"], batch["label"])  # [batch, time], [batch], [batch]
        usage.count(batch)
        saved = json.dumps(Position.after(batch))
    print(usage.tokens, usage.padded, usage.waste)

    rest = read("examples/Split-train", batch_tokens=16_384, seed=1, epoch=0, position=json.loads(saved))

`read` gives documents in batches of similar lengths; `pack` gives rows of joined documents to language
models. Both yield the same batches in the same order for the same arguments, whatever TensorFlow's global
seed is, go on from any `position`, and share an epoch between workers. They hold few windows of records at
a time, however large the files are.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence

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
    """What batches of `read` or `pack` hold.

    Attributes:
        documents: Documents; of packed ones, those that begin in the batches.
        steps: Batches.
        tokens: Ids that are no padding; a document without tokens counts as one.
        padded: Ids with padding.
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
            # On the host, where the reader leaves its batches: TensorFlow would wait for the device of a step.
            self.tokens += int(np.asarray(batch[f.LENGTH]).sum())
        self.steps += 1
        self.padded += math.prod(batch[f.TOKENS].shape)

    @property
    def waste(self) -> float:
        """The share of the ids that is padding."""
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

    A window of documents is sorted by length and cut into batches whose padded size stays within
    the budget; a document longer than the budget is a batch of its own. With a seed, documents and
    the batches of a window come in an order drawn from the seed and the epoch.

    Workers that read with the same arguments but their number get the same number of batches, at each
    step batches of about the same width, and each document is in exactly one. For this, every worker reads
    all files and the lengths of all documents (millions a second), but parses only its own. Where a
    window has too few batches, its fullest are halved; only where a window has fewer documents than there
    are workers, some get a batch of no documents (`tokens` [0, 1]).

    Args:
        files: A folder of TFRecord files of transformed SequenceExamples, such as `Split-train`; or a
            pattern, a file, or several of these. GZIP files end in `.gz`. Padding in the records is left out.
        batch_tokens: Ids that a batch holds at most, padding included.
        window: Documents sorted together.
        batch_documents: Documents that a batch holds at most, however short; None: any number.
        seed: Seed of the order; None keeps the order of the files from window to window.
        epoch: Number of the pass, part of the seed.
        worker: The number of this worker, from 0, and how many there are.
        position: Where to go on: `Position.after` the last batch done, also of another worker; None: at the
            start. Windows before it are read but not parsed.

    Returns:
        A dataset of features: `tokens` int64 [batch, time] padded on the right, `length` int64
        [batch] (at least 1), `id` and `source` string [batch], `position` int64 [4]; in labelled corpora
        `label` int64 [batch], or with any number of labels `labels` int64 [batch, most labels] filled up with -1; in
        tagged ones `tags` int64 [batch, time]; where documents have weights `weight` float32 [batch].

    Raises:
        JobError: If there are no files, or the position is of another reading.
    """
    paths, own = tfrecords.find(files), Worker(*worker)
    arguments = ("read", batch_tokens, window, batch_documents, seed, own.count)
    origin = resume(start(epoch, paths, arguments), position)
    found = tfrecords.kind(paths), tfrecords.weighted(paths), tfrecords.compression(paths[0])
    limits = (batch_tokens, batch_documents or _NO_LIMIT)
    read_pass = _compiled(*found, limits, window, own, seed is not None)
    return tfrecords.without_autotune(read_pass(*tfrecords.drawn(paths, seed, epoch), tf.constant(origin, tf.int64)))


@functools.lru_cache(maxsize=32)
def _compiled(
    kind: CorpusKind, weighted: bool, codec: str, limits: tuple[int, int], window: int, worker: Worker, mixed: bool
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.data.Dataset]:
    """Compiles the reading of a pass once for all epochs, which would each be traced anew for half a second.

    Args:
        kind: The kind of corpus.
        weighted: Whether its documents have weights.
        codec: How the files are compressed.
        limits: Ids and documents that a batch holds at most.
        window: Documents sorted together.
        worker: Which batches are read.
        mixed: Whether the order is drawn.
    """

    @tf.autograph.experimental.do_not_convert
    def read_pass(paths: tf.Tensor, seed: tf.Tensor, start: tf.Tensor) -> tf.data.Dataset:
        """Reads files, string [files], with a seed, int32 [], from a position on, int64 [4]."""
        origin = Position(*tf.unstack(start, len(Position._fields)))

        def cut(number: tf.Tensor, serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            """Orders the documents of a window by length, and tells where each batch begins and ends in that order."""
            lengths = parsing.lengths(serialized)
            by_length = tf.argsort(lengths, direction="DESCENDING", stable=True)
            bounds = _steps(tf.gather(lengths, by_length), limits, worker)
            if mixed:
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

        windows = tfrecords.windows(paths, codec, window, seed if mixed else None).enumerate().skip(origin.window)
        batches = windows.map(cut).prefetch(1).flat_map(gather)
        return batches.map(parse, num_parallel_calls=tfrecords.PARALLEL, deterministic=True).prefetch(4)

    compiled: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.data.Dataset] = tf.function(
        read_pass, input_signature=tfrecords.DRAWN
    )
    return compiled


def pad(tokens: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pads a batch on the right to its longest document.

    Args:
        tokens: Ids, ragged int64 [batch, time].

    Returns:
        Ids, int64 [batch, time], at least one step wide, and lengths, int64 [batch]. A document
        without tokens has length 1, one `<pad>`: recurrent kernels accept no empty sequence.
    """
    width = tf.maximum(tokens.bounding_shape(axis=1), 1)
    padded = tokens.to_tensor(f.PAD, shape=tf.stack([tf.constant(-1, tf.int64), width]))
    return tf.ensure_shape(padded, [None, None]), tf.maximum(tokens.row_lengths(), 1)


def batch_bounds(
    lengths: tf.Tensor, batch_tokens: int, batch_documents: int = _NO_LIMIT
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cuts documents sorted by falling length into batches under a token budget.

    Args:
        lengths: Falling lengths, int64 [documents].
        batch_tokens: Ids that a batch holds at most when padded to its first document.
        batch_documents: Documents that a batch holds at most.

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
    """Returns the bounds of one worker's batch at each step, int64 [steps, 2], from falling lengths."""
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
