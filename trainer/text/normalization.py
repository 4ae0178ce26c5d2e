"""Text normalization before tokenization, as TensorFlow operations."""

from __future__ import annotations

import contextlib
import html.entities
from types import ModuleType

import tensorflow as tf

from trainer.errors import JobError
from trainer.settings import TransformSettings

# Entities of real corpora; `&` last, since the entities that it uncovers are text.
_ENTITIES = (
    *("nbsp", "lt", "gt", "quot", "apos", "lsquo", "rsquo", "ldquo", "rdquo"),
    *("ndash", "mdash", "hellip", "copy", "reg", "trade", "pound", "euro", "amp"),
)
_TAGS = (
    r"(?is)<!--.*?-->|<script\b.*?</script\s*>|<style\b.*?</style\s*>",
    r"</?[A-Za-z][^<>]*>|<![A-Za-z][^<>]*>",
)


def normalize(text: tf.Tensor, settings: TransformSettings) -> tf.Tensor:
    """Cleans text: valid UTF-8, then HTML, NFKC, lower case and digits, as configured.

    Args:
        text: String, any shape; invalid bytes become U+FFFD, and NUL a space if the text is lower-cased.
        settings: The transform section of the configuration.

    Returns:
        Valid UTF-8, string of the same shape.

    Raises:
        JobError: If NFKC is set and tensorflow_text is not installed.
    """
    if settings.strip_html or settings.nfkc or not settings.lowercased:
        # Otherwise lower-casing replaces invalid bytes, in a third of the time.
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
    if settings.strip_html:
        text = strip_html(text)
    if settings.nfkc:
        text = tensorflow_text("transform.nfkc").normalize_utf8(text, "NFKC")
    if settings.lowercased:
        text = tf.strings.lower(without_nul(text), encoding="utf-8")
    if settings.digits:
        text = tf.strings.regex_replace(text, r"\p{Nd}", "0")
    return text


def without_nul(text: tf.Tensor) -> tf.Tensor:
    """Replaces NUL, where TensorFlow's change of case ends a text, by a space; string, any shape."""
    return tf.strings.regex_replace(text, r"\x00", " ")


def strip_html(text: tf.Tensor) -> tf.Tensor:
    """Replaces tags, comments, scripts and style sheets by spaces, and decodes common entities; string, any shape.

    As in browsers, a `<` is text unless a letter, `/` or `!` follows.
    """
    for pattern in _TAGS:
        text = tf.strings.regex_replace(text, pattern, " ")
    for name in _ENTITIES:
        number = ord(html.entities.html5[f"{name};"])
        pattern = f"&(?:{name}|#0*{number}|#[xX]0*(?i:{number:x}));"
        text = tf.strings.regex_replace(text, pattern, " " if name == "nbsp" else chr(number))
    return text


def tensorflow_text(needed_by: str) -> ModuleType:
    """Imports tensorflow_text; raises a JobError at the key that needs it if it is not installed."""
    try:
        import tensorflow_text as text
    except ImportError as error:
        raise missing_extra(needed_by, "tensorflow_text") from error
    module: ModuleType = text
    return module


def missing_extra(needed_by: str, package: str, extra: str = "subwords") -> JobError:
    """Returns the error of a package of an extra that is not installed."""
    fix = f'Install the extra with pip install "seqloom[{extra}]", or change that setting.'
    return JobError(f"The package {package} is not installed.", where=needed_by, fix=fix)


def register_operations() -> None:
    """Makes graphs with tensorflow_text's operations loadable, if it is installed."""
    with contextlib.suppress(ImportError):
        import tensorflow_text  # noqa: F401
