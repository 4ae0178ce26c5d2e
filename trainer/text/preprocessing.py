"""Raw text to token ids, as TensorFlow operations: one graph makes the data and serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import tensorflow as tf

from trainer.data import features as f
from trainer.data.kinds import CorpusKind
from trainer.settings import TransformSettings, TruncateSettings
from trainer.text import subwords as subword_models
from trainer.text.lines_table import lines_table
from trainer.text.normalization import normalize
from trainer.text.phrases import Phrases
from trainer.text.phrases import load as load_phrases
from trainer.text.tokenizers import cut

MARK = b"\xff"
"""How marks begin: they are no valid UTF-8, so that no text can yield them."""

_MARKS = {number: MARK + bytes([number]) for number in (f.UNK, f.BOS, f.EOS)}


def tokenize(
    text: tf.RaggedTensor,
    settings: TransformSettings,
    subwords: subword_models.Subwords | None = None,
    phrases: Phrases | None = None,
) -> tf.RaggedTensor:
    """Cuts documents into tokens, puts marks around them and truncates them.

    Marks, and the tokens that are too long, are no valid UTF-8; `lookup` knows them. Truncation counts
    marks, keeps those of the document, and takes those of segments for tokens like others.

    Args:
        text: Documents, ragged string [batch, segments, 1], UTF-8; invalid bytes become U+FFFD.
        settings: The transform section of the configuration.
        subwords: The model, with `tokenizer: subwords`.
        phrases: The phrases that are joined.

    Returns:
        Tokens, ragged string [batch, time], all segments of a document joined.
    """
    tokens = tokenize_segments(text.flat_values, settings, subwords)
    if phrases is not None:
        tokens = phrases(tokens)
    lengths = text.with_flat_values(tokens).merge_dims(1, 3).row_lengths()
    document = text.with_flat_values(_mark(tokens, settings, "segment")).merge_dims(1, 3)
    document = _mark(_truncate(document, settings), settings, "document")
    return _drop_short(document, lengths, settings)


def tokenize_segments(
    segments: tf.Tensor, settings: TransformSettings, subwords: subword_models.Subwords | None = None
) -> tf.RaggedTensor:
    """Cuts segments into tokens; those that are too long become marks.

    Args:
        segments: String [segments], UTF-8; invalid bytes become U+FFFD.
        settings: The transform section of the configuration.
        subwords: The model, with `tokenizer: subwords`.

    Returns:
        Tokens, ragged string [segments, time].
    """
    tokens = cut(normalize(segments, settings), settings, subwords)
    if settings.max_token_bytes is not None:
        too_long = tf.strings.length(tokens.values) > settings.max_token_bytes
        tokens = tokens.with_values(tf.where(too_long, _MARKS[f.UNK], tokens.values))
    return tokens


def _mark(tokens: tf.RaggedTensor, settings: TransformSettings, place: str) -> tf.RaggedTensor:
    """Puts `<bos>` and `<eos>` around each row, as far as they are set for this place."""

    def column(mark: int) -> list[tf.RaggedTensor]:
        return [tf.RaggedTensor.from_uniform_row_length(tf.fill([tokens.nrows()], _MARKS[mark]), 1)]

    parts = [
        *(column(f.BOS) if settings.bos == place else []),
        tokens,
        *(column(f.EOS) if settings.eos == place else []),
    ]
    return tf.concat(parts, axis=1) if len(parts) > 1 else tokens


def _truncate(tokens: tf.RaggedTensor, settings: TransformSettings) -> tf.RaggedTensor:
    """Truncates rows to what the configuration allows, less the room for the document's marks."""
    limit = settings.truncation
    if limit is None:
        return tokens
    return truncate(tokens, TruncateSettings(to=limit.to - settings.document_marks, keep=limit.keep))


def _drop_short(tokens: tf.RaggedTensor, lengths: tf.Tensor, settings: TransformSettings) -> tf.RaggedTensor:
    """Empties the rows of documents that are shorter than the configuration asks for."""
    if settings.min_length == 0:
        return tokens
    kept = tf.gather(lengths >= settings.min_length, tokens.value_rowids())
    return tf.ragged.boolean_mask(tokens, tokens.with_values(kept))


def tagged_tokens(raw: f.Features, settings: TransformSettings) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Takes the given tokens of tagged sentences, normalized, with their tags, and truncates both alike.

    Args:
        raw: Raw features with `tokens` and `tags`, ragged string [batch, time, 1].
        settings: The transform section of the configuration.

    Returns:
        Tokens and tags, ragged string [batch, time] each.
    """
    tokens = cast(tf.RaggedTensor, raw[f.TOKENS]).merge_dims(1, 2)
    tags = cast(tf.RaggedTensor, raw[f.TAGS]).merge_dims(1, 2)
    values = normalize(tokens.values, settings)
    if settings.max_token_bytes is not None:
        values = tf.where(tf.strings.length(values) > settings.max_token_bytes, _MARKS[f.UNK], values)
    lengths = tokens.row_lengths()
    kept = (_drop_short(_truncate(rows, settings), lengths, settings) for rows in (tokens.with_values(values), tags))
    return next(kept), next(kept)


def count_tokens(
    raw: f.Features,
    settings: TransformSettings,
    kind: CorpusKind,
    subwords: subword_models.Subwords | None = None,
    phrases: Phrases | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Counts the tokens of a batch as they are truncated, without marks and without those that are too long.

    Args:
        raw: Raw features of the batch.
        settings: The transform section of the configuration.
        kind: The kind of corpus.
        subwords: The model, with `tokenizer: subwords`.
        phrases: The phrases that are joined.

    Returns:
        Distinct tokens, string [types], and how often each is there, int64 [types].
    """
    if kind.tokenized:
        rows, _ = tagged_tokens(raw, settings)
    else:
        rows = tokenize(cast(tf.RaggedTensor, raw[f.TEXT]), settings, subwords, phrases)
    tokens, _, counts = tf.unique_with_counts(rows.values, out_idx=tf.int64)
    is_text = tf.strings.substr(tokens, 0, 1) != MARK
    return tf.boolean_mask(tokens, is_text), tf.boolean_mask(counts, is_text)


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
    # On the flat values: comparing ragged tensors broadcasts them, in a hundred operations each.
    row = tokens.value_rowids()
    position = tf.range(tf.size(row, row.dtype)) - tf.gather(tokens.row_starts(), row)
    kept = (position < head) | (position >= tf.gather(tokens.row_lengths() - (settings.to - head), row))
    return tf.ragged.boolean_mask(tokens, tokens.with_values(kept))


def lookup(tokens: tf.RaggedTensor, table: tf.lookup.StaticHashTable, settings: TransformSettings) -> tf.RaggedTensor:
    """Maps tokens and marks to ids; reserved words in the text are unknown words, so no text yields id 0.

    Args:
        tokens: Ragged string [batch, time].
        table: The vocabulary; the default is the id of `<unk>`.
        settings: The transform section of the configuration: unknown words go to its buckets.

    Returns:
        Ids, ragged int64 [batch, time].
    """
    words = tokens.flat_values
    ids = table.lookup(words)
    ids = tf.where(ids < len(f.RESERVED_WORDS), tf.constant(f.UNK, tf.int64), ids)
    if settings.oov_buckets:
        buckets = table.size() + tf.strings.to_hash_bucket_fast(words, settings.oov_buckets)
        ids = tf.where(ids == f.UNK, buckets, ids)
    for number in _possible_marks(settings):
        ids = tf.where(words == _MARKS[number], tf.constant(number, tf.int64), ids)
    return tokens.with_flat_values(ids)


def _possible_marks(settings: TransformSettings) -> list[int]:
    possible = {f.UNK: settings.max_token_bytes, f.BOS: settings.bos, f.EOS: settings.eos}
    return [number for number, setting in possible.items() if setting is not None]


def make_preprocessing_fn(
    settings: TransformSettings,
    kind: CorpusKind,
    *,
    vocabulary: str,
    classes: str | None = None,
    subword_model: str | None = None,
    phrases: str | None = None,
) -> Callable[[f.Features], f.Features]:
    """Builds the function that TensorFlow Transform traces into the transform graph.

    Args:
        settings: The transform section of the configuration.
        kind: The kind of corpus, which says what features there are.
        vocabulary: The vocabulary file: reserved words, then words by falling frequency.
        classes: The file of class names in the order of their ids, where the kind has a target.
        subword_model: The model's file, with `tokenizer: subwords`.
        phrases: The file of phrases, with `phrases`, if there are any.

    Returns:
        A function from raw to transformed features; a class that is not in the file becomes -1.

    Raises:
        JobError: If the settings do not fit this kind of corpus.
    """
    obstacle = settings.obstacle(kind)
    if obstacle is not None:
        raise obstacle.error(f"transform.{obstacle.path[0]}")

    def preprocessing_fn(inputs: f.Features) -> f.Features:
        """Maps a batch of raw features to transformed ones."""
        import tensorflow_transform as tft

        words = tft.make_and_track_object(lambda: lines_table(vocabulary, f.UNK), name="vocabulary")
        outputs = {f.ID: inputs[f.ID], f.SOURCE: inputs[f.SOURCE]}
        if kind.tokenized:
            tokens, names = tagged_tokens(inputs, settings)
        else:
            model = joined = None
            if subword_model is not None:
                model = tft.make_and_track_object(lambda: subword_models.load(subword_model), name="subwords")
            if phrases is not None:
                joined = tft.make_and_track_object(lambda: load_phrases(phrases, settings), name="phrases")
            tokens = tokenize(cast(tf.RaggedTensor, inputs[f.TEXT]), settings, model, joined)
            names = inputs[f.LABELS].merge_dims(1, 2) if kind.multi_label else inputs.get(f.LABEL)
        if kind.target is not None:
            table = tft.make_and_track_object(lambda: lines_table(classes, -1), name="classes")
            outputs[kind.target] = tf.ragged.map_flat_values(table.lookup, names)
        tokens = lookup(tokens, words, settings)
        return {**outputs, f.LENGTH: tokens.row_lengths(), f.TOKENS: tokens}

    return preprocessing_fn
