"""Raw text to token ids, as TensorFlow operations: the same graph for data and for serving."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import tensorflow as tf

from trainer.data import features as f
from trainer.data.kinds import CorpusKind
from trainer.settings import TransformSettings, TruncateSettings
from trainer.text import subwords as subword_models
from trainer.text import tokenizers
from trainer.text.lines_table import lines_table
from trainer.text.normalization import normalize
from trainer.text.phrases import Phrases
from trainer.text.phrases import load as load_phrases

MARK = b"\xff"
"""First byte of marks: it is invalid in UTF-8, so that no text can yield them."""

_MARKS = {number: MARK + bytes([number]) for number in (f.UNK, f.BOS, f.EOS)}


def tokenize(
    text: tf.RaggedTensor,
    settings: TransformSettings,
    subwords: subword_models.Subwords | None = None,
    phrases: Phrases | None = None,
) -> tf.RaggedTensor:
    """Tokenizes documents, adds marks and truncates them.

    Marks and tokens that are too long become invalid UTF-8, which `lookup` recognizes. Truncation counts marks; it
    always keeps those of the document and treats those of segments like other tokens.

    Args:
        text: Documents, ragged string [batch, segments, 1], UTF-8; invalid bytes become U+FFFD.
        settings: The transform section of the configuration.
        subwords: The model, with `tokenizer: subwords`.
        phrases: The phrases to join.

    Returns:
        Tokens, ragged string [batch, time], with the segments of a document concatenated.
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
    """Tokenizes segments, string [segments], to ragged string [segments, time]; overlong tokens become marks."""
    tokens = tokenizers.tokenize(normalize(segments, settings), settings, subwords)
    if settings.max_token_bytes is not None:
        too_long = tf.strings.length(tokens.values) > settings.max_token_bytes
        tokens = tokens.with_values(tf.where(too_long, _MARKS[f.UNK], tokens.values))
    return tokens


def _mark(tokens: tf.RaggedTensor, settings: TransformSettings, place: str) -> tf.RaggedTensor:
    """Adds `<bos>` and `<eos>` to each row if they are set for this place, `segment` or `document`."""

    def column(mark: int) -> list[tf.RaggedTensor]:
        return [tf.RaggedTensor.from_uniform_row_length(tf.fill([tokens.nrows()], _MARKS[mark]), 1)]

    before, after = (column(f.BOS) if settings.bos == place else []), (column(f.EOS) if settings.eos == place else [])
    return tf.concat([*before, tokens, *after], axis=1) if before or after else tokens


def _truncate(tokens: tf.RaggedTensor, settings: TransformSettings) -> tf.RaggedTensor:
    """Truncates rows to the configured limit, minus room for the document's marks."""
    limit = settings.truncation
    if limit is None:
        return tokens
    return truncate(tokens, TruncateSettings(to=limit.to - settings.document_marks, keep=limit.keep))


def _drop_short(tokens: tf.RaggedTensor, lengths: tf.Tensor, settings: TransformSettings) -> tf.RaggedTensor:
    """Empties the rows of documents shorter than `min_length`."""
    if settings.min_length == 0:
        return tokens
    kept = tf.gather(lengths >= settings.min_length, tokens.value_rowids())
    return tf.ragged.boolean_mask(tokens, tokens.with_values(kept))


def tagged_tokens(raw: f.Features, settings: TransformSettings) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Normalizes the tokens of tagged sentences, and truncates tokens and tags alike.

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


def spelled(tokens: tf.Tensor) -> tf.Tensor:
    """Returns tokens as text, valid UTF-8, string of the same shape: the marks of overlong ones become empty."""
    return tf.where(tf.strings.substr(tokens, 0, 1) == MARK, "", tokens)


def count_tokens(
    raw: f.Features,
    settings: TransformSettings,
    kind: CorpusKind,
    subwords: subword_models.Subwords | None = None,
    phrases: Phrases | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Counts the tokens of a batch after truncation, without marks and overlong tokens.

    Returns:
        Distinct tokens, string [types], and their counts, int64 [types].
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
        settings: The limit and the kept end.
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
        table: The vocabulary, with the id of `<unk>` as the default.
        settings: The transform section of the configuration.

    Returns:
        Ids, ragged int64 [batch, time].
    """
    words = tokens.flat_values
    ids = table.lookup(words)
    ids = tf.where(ids < len(f.RESERVED_WORDS), tf.constant(f.UNK, tf.int64), ids)
    if settings.oov_buckets:
        buckets = table.size() + tf.strings.to_hash_bucket_fast(words, settings.oov_buckets)
        ids = tf.where(ids == f.UNK, buckets, ids)
    for number, setting in ((f.UNK, settings.max_token_bytes), (f.BOS, settings.bos), (f.EOS, settings.eos)):
        if setting is not None:
            ids = tf.where(words == _MARKS[number], tf.constant(number, tf.int64), ids)
    return tokens.with_flat_values(ids)


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
        kind: The kind of corpus.
        vocabulary: The vocabulary file: reserved words, then words by decreasing frequency.
        classes: The file of class names in the order of their ids, if the kind has a target.
        subword_model: The model's file, with `tokenizer: subwords`.
        phrases: The file of phrases, if there are any.

    Returns:
        A function from raw to transformed features; unknown classes become -1.

    Raises:
        JobError: If the settings cannot be used on this kind of corpus.
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
        if kind.tokenized:
            outputs[f.WORDS] = tokens.with_values(spelled(tokens.values))
        tokens = lookup(tokens, words, settings)
        return {**outputs, f.LENGTH: tokens.row_lengths(), f.TOKENS: tokens}

    return preprocessing_fn
