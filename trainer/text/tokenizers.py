"""The tokenizers: text to tokens, as TensorFlow operations."""

from __future__ import annotations

import tensorflow as tf

from trainer.settings import TransformSettings
from trainer.text.subwords import Subwords

_WORD = r"\p{L}\p{N}\p{M}\p{Cf}"
_MARK = "\x01"
_INSIDE = (rf"([{_WORD}])['\x{{2019}}]([{_WORD}])", rf"\1{_MARK}\2")
# RE2 rewrites that put ASCII spaces between words and signs.
_WORD_REWRITES = (
    (r"<[bB][rR]\s*/?>", " "),
    # \p{Z} and \p{Cc} except for the space itself, which would be replaced at every word.
    (r"[\x00-\x1f\x7f-\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]", " "),
    _INSIDE,
    _INSIDE,  # Again: matches do not overlap, so one pass leaves the second apostrophe of a'b'c.
    (rf"([^{_WORD} {_MARK}])", r" \1 "),
    (_MARK, "'"),
)


def tokenize(segments: tf.Tensor, settings: TransformSettings, subwords: Subwords | None = None) -> tf.RaggedTensor:
    r"""Splits text into tokens.

    `words`: a word is a run of letters, digits, marks and format characters, including apostrophes inside it; every
    other character except spaces and control characters is a token of its own. `<br>` tags are spaces. `whitespace`:
    text between ASCII white space. `characters`: code points, with `\n` for a line feed and `\r` for a carriage
    return. `subwords`: pieces of the model.

    Args:
        segments: Normalized text, string [segments].
        settings: The transform section of the configuration.
        subwords: The model, with `tokenizer: subwords`.

    Returns:
        Tokens, ragged string [segments, time].
    """
    if settings.tokenizer == "subwords":
        if subwords is None:
            raise ValueError("tokenizer subwords needs the model")
        return subwords(segments)
    if settings.tokenizer == "characters":
        characters = tf.strings.unicode_split(segments, "UTF-8")
        for control, name in (("\n", r"\\n"), ("\r", r"\\r")):  # Neither can be a line of the vocabulary.
            characters = characters.with_values(tf.strings.regex_replace(characters.values, control, name))
        return characters
    if settings.tokenizer == "words":
        for pattern, rewrite in _WORD_REWRITES:
            segments = tf.strings.regex_replace(segments, pattern, rewrite)
    return tf.strings.split(segments)
