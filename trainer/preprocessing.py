"""Raw text to token ids, as TensorFlow operations: one graph makes the data and serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import tensorflow as tf

from trainer import features as f
from trainer.settings import TransformSettings, TruncateSettings

_WORD = r"\p{L}\p{N}\p{M}\p{Cf}"
_IN_WORD_APOSTROPHE = "\x01"


def tokenize(text: tf.RaggedTensor, settings: TransformSettings) -> tf.RaggedTensor:
    """Cuts documents into tokens and truncates them.

    A word is a run of letters, digits, marks and format characters, with apostrophes inside it; every
    other character that is neither space nor control is a token of its own. `<br>` tags are spaces.

    Args:
        text: Documents, ragged string [batch, segments, 1], UTF-8; invalid bytes become U+FFFD.
        settings: The transform section of the configuration.

    Returns:
        Tokens, ragged string [batch, time], all segments of a document joined.
    """
    segments = tf.strings.unicode_transcode(text.flat_values, "UTF-8", "UTF-8", errors="replace")
    if settings.lowercase:
        segments = tf.strings.lower(segments, encoding="utf-8")
    for pattern, rewrite in _word_rewrites():
        segments = tf.strings.regex_replace(segments, pattern, rewrite)
    tokens = tf.strings.split(segments)
    document = text.with_flat_values(tokens).merge_dims(1, 3)
    return document if settings.truncate is None else truncate(document, settings.truncate)


def _word_rewrites() -> tuple[tuple[str, str], ...]:
    """RE2 rewrites after which words and signs stand between ASCII spaces."""
    mark = _IN_WORD_APOSTROPHE
    inside = (rf"([{_WORD}])['\x{{2019}}]([{_WORD}])", rf"\1{mark}\2")
    return (
        (r"[\p{Z}\p{Cc}]+|(?i:<br\s*/?>)", " "),
        inside,
        inside,  # Again: matches do not overlap, so one pass leaves the second apostrophe of a'b'c.
        (rf"([^{_WORD} {mark}])", r" \1 "),
        (mark, "'"),
    )


def truncate(tokens: tf.RaggedTensor, settings: TruncateSettings) -> tf.RaggedTensor:
    """Keeps at most `settings.to` tokens of each document.

    Args:
        tokens: Any dtype, ragged [batch, time].
        settings: How many tokens are kept, and which: `head`, `tail`, or `head+tail`, the first
            quarter and the last three quarters of the limit.

    Returns:
        The tokens kept, ragged [batch, time].
    """
    head = {"head": settings.to, "tail": 0, "head+tail": settings.to // 4}[settings.keep]
    lengths = tokens.row_lengths()
    position = tf.ragged.range(lengths)
    last_dropped = tf.expand_dims(lengths - (settings.to - head), 1)
    return tf.ragged.boolean_mask(tokens, (position < head) | (position >= last_dropped))


def lookup(tokens: tf.RaggedTensor, table: tf.lookup.StaticHashTable) -> tf.RaggedTensor:
    """Maps tokens to ids; reserved words in the text are unknown words, so no text yields id 0."""
    ids = table.lookup(tokens.flat_values)
    ids = tf.where(ids < len(f.RESERVED_WORDS), tf.constant(f.UNK, tf.int64), ids)
    return tokens.with_flat_values(ids)


def lines_table(path: str | tf.Tensor, default: int) -> tf.lookup.StaticHashTable:
    """A lookup table from a file's lines to their numbers from 0.

    Args:
        path: The file, one entry a line.
        default: The value of what is not in the file.
    """
    initializer = tf.lookup.TextFileInitializer(
        path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    return tf.lookup.StaticHashTable(initializer, default)


def make_preprocessing_fn(
    settings: TransformSettings, vocabulary: str, labels: str
) -> Callable[[f.Features], f.Features]:
    """Builds the function that TensorFlow Transform traces into the transform graph.

    Args:
        settings: The transform section of the configuration.
        vocabulary: The vocabulary file: reserved words, then words by falling frequency.
        labels: The file of class names in the order of their ids.

    Returns:
        A function from raw to transformed features; a label that is not in the file becomes -1.
    """

    def preprocessing_fn(inputs: f.Features) -> f.Features:
        """Maps a batch of raw features to transformed ones."""
        import tensorflow_transform as tft

        words = tft.make_and_track_object(lambda: lines_table(vocabulary, f.UNK), name="vocabulary")
        classes = tft.make_and_track_object(lambda: lines_table(labels, -1), name="labels")
        tokens = lookup(tokenize(cast(tf.RaggedTensor, inputs[f.TEXT]), settings), words)
        return {
            f.ID: inputs[f.ID],
            f.SOURCE: inputs[f.SOURCE],
            f.LABEL: classes.lookup(inputs[f.LABEL]),
            f.LENGTH: tokens.row_lengths(),
            f.TOKENS: tokens,
        }

    return preprocessing_fn
