"""Documents joined into rows of fixed length for language models."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import tensorflow as tf

from trainer.data import features as f
from trainer.data import parsing, tfrecords
from trainer.data.position import POSITION, Position, Worker, remaining, resume, start

TARGETS = "targets"
SEGMENT = "segment"
OFFSET = "offset"


def pack(
    files: str | Sequence[str],
    *,
    rows: int,
    time: int,
    eos: int | None = f.EOS,
    window: int = 2_048,
    seed: int | None = None,
    epoch: int = 0,
    worker: tuple[int, int] = (0, 1),
    position: Sequence[int] | None = None,
) -> tf.data.Dataset:
    """Reads one pass over a split as batches of rows for a language model.

    Each row is a stream of whole documents, and row i of a batch continues row i of the previous batch, so that a
    recurrent state can be carried over. A document has the inputs `eos, token 1, ..., token n` and the targets
    `token 1, ..., token n, eos`: the end mark of one document is the first input of the next, and every token and
    every end mark is a target exactly once. Rows differ in length by at most one document. The last batches are
    padded after the end of a row.

    Use `segment` to keep attention within documents, and reset a recurrent state where `offset` is 0.

    Workers that read with the same arguments except their number get the same number of batches, each its own rows:
    together they read `rows` times their count. Every worker reads all files and all document lengths, but parses
    only its own documents.

    Args:
        files: As for `trainer.data.reading.read`.
        rows: Rows in a batch.
        time: Ids in a row.
        eos: The id between documents. None joins them unchanged, for documents that contain their own marks; the
            first token of each row's stream is then not a target and the last not an input.
        window: Documents that are shuffled and assigned to rows together.
        seed: Seed of the order; None keeps the order of the files.
        epoch: Number of the pass, part of the seed.
        worker: The number of this worker, from 0, and the number of workers.
        position: Where to resume: `Position.after` the last batch done; None: at the start. Only the lengths of
            earlier windows are read.

    Returns:
        A dataset of int64 features: `tokens`, the inputs, [rows, time]; `targets` [rows, time];
        `segment` [rows, time], one number per document and 0 for padding; `offset` [rows, time], the input's index
        in its document; `position` [4].

    Raises:
        JobError: If there are no files, or the position belongs to another epoch or other arguments.
    """
    paths, own = tfrecords.find(files), Worker(*worker)
    origin = resume(start(epoch, paths, ("pack", rows, time, eos, window, seed, own.count)), position)
    read_pass = _compiled(_RowLayout(rows, time, eos, own), tfrecords.compression(paths[0]), window, seed is not None)
    return tfrecords.without_autotune(read_pass(*tfrecords.ordered(paths, seed, epoch), tf.constant(origin, tf.int64)))


@functools.lru_cache(maxsize=32)
def _compiled(layout: _RowLayout, codec: str, window: int, shuffle: bool) -> tfrecords.ReadPass:
    """Compiles the reading of a pass once for all epochs, since tracing takes a second."""

    @tf.autograph.experimental.do_not_convert
    def read_pass(paths: tf.Tensor, seed: tf.Tensor, start: tf.Tensor) -> tf.data.Dataset:
        """Reads files, string [files], with a seed, int32 [], from a position, int64 [4]."""
        origin = Position(*tf.unstack(start, len(Position._fields)))

        def fill(number: tf.Tensor, piece: _Piece) -> tuple[tf.Tensor, f.Features]:
            return number, layout.fill(parsing.tokens(piece[0]), *piece[1:])

        def split(number: tf.Tensor, features: f.Features) -> tf.data.Dataset:
            return remaining(origin, number, features).map(lambda batch, position: {**batch, POSITION: position})

        windows = tfrecords.with_end(tfrecords.windows(paths, codec, window, seed if shuffle else None))
        pieces = windows.scan(layout.empty(), layout.place).enumerate().skip(origin.window)
        return pieces.map(fill, num_parallel_calls=2, deterministic=True).flat_map(split).prefetch(4)

    compiled: tfrecords.ReadPass = tf.function(read_pass, input_signature=tfrecords.PASS_SIGNATURE)
    return compiled


_State = tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
"""Records not yet used up, string [records]; their rows and offsets, int64 [records]; the ends of all rows, int64
[rows]; the column up to which rows are emitted, int64 []."""
_Piece = tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
"""Records, string [records]; their rows and offsets, int64 [records]; the ends of the rows, int64 [rows]; the
number of batches they fill, int64 []."""


@dataclasses.dataclass(frozen=True)
class _RowLayout:
    """The layout of documents in rows.

    A document takes one column per token, and one more with `eos`. Its row follows from lengths alone, so that
    records are parsed only when they are emitted, and all workers agree.
    """

    rows: int
    time: int
    eos: int | None
    worker: Worker

    def empty(self) -> _State:
        """Returns the state before the first document."""
        ends = tf.zeros([self.rows * self.worker.count], tf.int64)
        numbers = tf.zeros([0], tf.int64)
        return tf.zeros([0], tf.string), numbers, numbers, ends, tf.constant(0, tf.int64)

    def place(self, state: _State, window: tuple[tf.Tensor, tf.Tensor]) -> tuple[_State, _Piece]:
        """Assigns the documents of a window to rows, and emits the columns that all rows have filled.

        `window` are serialized records, string [records], and whether they are the last.
        """
        (kept, kept_rows, kept_offsets, ends, base), (fresh, last) = state, window
        widths = self._widths(parsing.lengths(fresh))
        row, offset, ends = assign(widths, ends)
        first = self.worker.number * self.rows
        own = _where((row >= first) & (row < first + self.rows))
        serialized = tf.concat([kept, tf.gather(fresh, own)], 0)
        row = tf.concat([kept_rows, tf.gather(row, own) - first], 0)
        offset = tf.concat([kept_offsets, tf.gather(offset, own)], 0)
        inputs = ends - (1 if self.eos is None else 0)
        full = (tf.reduce_min(ends) - 1 - base) // self.time
        batches = tf.where(last, -((base - tf.reduce_max(inputs)) // self.time), full)
        batches = tf.maximum(batches, 0)
        top = base + batches * self.time
        begun = _where(offset <= top)
        own_ends = ends[first : first + self.rows] - base
        piece = (*(tf.gather(values, begun) for values in (serialized, row, offset - base)), own_ends, batches)
        stays = _where(offset + self._widths(parsing.lengths(serialized)) > top)
        return (*(tf.gather(values, stays) for values in (serialized, row, offset)), ends, top), piece

    def fill(
        self, tokens: tf.RaggedTensor, row: tf.Tensor, offset: tf.Tensor, ends: tf.Tensor, batches: tf.Tensor
    ) -> f.Features:
        """Lays tokens out in batches.

        Args:
            tokens: Ids, ragged int64 [documents, time].
            row: Their rows, int64 [documents].
            offset: The columns at which they begin, int64 [documents]; negative before these batches.
            ends: The columns at which the rows' documents end, int64 [rows].
            batches: Number of batches, int64 [].
        """
        if self.eos is not None:
            marks = tf.fill([tokens.nrows(), 1], tf.constant(self.eos, tf.int64))
            tokens = tf.concat([marks, tokens], 1)
        document = tokens.value_rowids()
        place = tf.range(tf.size(document, tf.int64)) - tf.gather(tokens.row_starts(), document)
        row, column = tf.gather(row, document), tf.gather(offset, document) + place
        values = tf.stack([tokens.flat_values, document + 1, place], axis=1)
        if self.eos is not None:  # The end mark of a row's last document; otherwise the next document begins with it.
            row = tf.concat([row, tf.range(self.rows, dtype=tf.int64)], 0)
            column = tf.concat([column, ends], 0)
            values = tf.concat([values, tf.tile([[tf.constant(self.eos, tf.int64), 0, 0]], [self.rows, 1])], 0)
        width = batches * self.time + 1
        inside = _where((column >= 0) & (column < width))
        index = tf.gather(tf.stack([row, column], axis=1), inside)
        shape = tf.stack([tf.constant(self.rows, tf.int64), width, 3])
        stream = tf.scatter_nd(index, tf.gather(values, inside), shape)
        inputs = ends - (1 if self.eos is None else 0)
        real = tf.sequence_mask(inputs, batches * self.time, tf.int64)
        ids, segment, offsets = tf.unstack(stream, axis=2)
        columns = {f.TOKENS: ids[:, :-1], TARGETS: ids[:, 1:], SEGMENT: segment[:, :-1], OFFSET: offsets[:, :-1]}
        shape = tf.stack([tf.constant(self.rows, tf.int64), batches, self.time])
        cut = {name: tf.transpose(tf.reshape(values * real, shape), [1, 0, 2]) for name, values in columns.items()}
        return {name: tf.ensure_shape(values, [None, self.rows, self.time]) for name, values in cut.items()}

    def _widths(self, lengths: tf.Tensor) -> tf.Tensor:
        return lengths + (0 if self.eos is None else 1)


def _where(mask: tf.Tensor) -> tf.Tensor:
    """Returns the indices of a vector's true values; one search serves several `tf.gather`."""
    return tf.where(mask)[:, 0]


def assign(widths: tf.Tensor, ends: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Assigns documents to rows of about equal length, adjacent documents to the same row.

    Args:
        widths: Columns that each document takes, int64 [documents].
        ends: Columns filled in each row, int64 [rows].

    Returns:
        The documents' rows and first columns, int64 [documents], and the new ends, int64 [rows].
    """
    rows = tf.size(ends)
    before, total = tf.cumsum(widths, exclusive=True), tf.reduce_sum(widths)
    mean = (tf.reduce_sum(ends) + total) / tf.cast(rows, tf.int64)
    room = tf.maximum(mean - tf.cast(ends, tf.float64), 0)
    share = tf.cumsum(room) * tf.math.divide_no_nan(tf.cast(total, tf.float64), tf.reduce_sum(room))
    middles = tf.cast(before, tf.float64) + tf.cast(widths, tf.float64) / 2
    row = tf.minimum(tf.searchsorted(share, middles, side="right"), rows - 1)
    row_start = tf.math.unsorted_segment_min(before, row, rows)
    offset = tf.gather(ends, row) + before - tf.gather(row_start, row)
    return tf.cast(row, tf.int64), offset, ends + tf.math.unsorted_segment_sum(widths, row, rows)
