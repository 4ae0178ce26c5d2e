"""Text normalization before tokenization, as TensorFlow operations."""

from __future__ import annotations

import contextlib
from types import ModuleType

import tensorflow as tf

from trainer.errors import JobError
from trainer.settings import TransformSettings

# Entities of real corpora by character; `&` last, since the entities that it uncovers are text.
_ENTITIES = {
    " ": ("nbsp", 0xA0),
    "<": ("lt", 0x3C),
    ">": ("gt", 0x3E),
    '"': ("quot", 0x22),
    "'": ("apos", 0x27),
    "\u2018": ("lsquo", 0x2018),
    "\u2019": ("rsquo", 0x2019),
    "\u201c": ("ldquo", 0x201C),
    "\u201d": ("rdquo", 0x201D),
    "\u2013": ("ndash", 0x2013),
    "\u2014": ("mdash", 0x2014),
    "\u2026": ("hellip", 0x2026),
    "\u00a9": ("copy", 0xA9),
    "\u00ae": ("reg", 0xAE),
    "\u2122": ("trade", 0x2122),
    "\u00a3": ("pound", 0xA3),
    "\u20ac": ("euro", 0x20AC),
    "&": ("amp", 0x26),
}
_TAGS = (
    r"(?is)<!--.*?-->|<script\b.*?</script\s*>|<style\b.*?</style\s*>",
    r"</?[A-Za-z][^<>]*>|<![A-Za-z][^<>]*>",
)


def normalize(text: tf.Tensor, settings: TransformSettings) -> tf.Tensor:
    """Cleans text: valid UTF-8, then HTML, NFKC, lower case and digits, as configured.

    Args:
        text: String, any shape; invalid bytes become U+FFFD.
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
        text = tf.strings.lower(text, encoding="utf-8")
    if settings.digits:
        text = tf.strings.regex_replace(text, r"\p{Nd}", "0")
    return text


def strip_html(text: tf.Tensor) -> tf.Tensor:
    """Replaces each tag, comment, script and style sheet by a space, and decodes the common entities.

    As in browsers, a `<` is text unless a letter, `/` or `!` follows.

    Args:
        text: UTF-8, string, any shape.
    """
    for pattern in _TAGS:
        text = tf.strings.regex_replace(text, pattern, " ")
    for character, (name, number) in _ENTITIES.items():
        pattern = f"&(?:{name}|#0*{number}|#[xX]0*(?i:{number:x}));"
        text = tf.strings.regex_replace(text, pattern, character)
    return text


def tensorflow_text(needed_by: str) -> ModuleType:
    """Imports tensorflow_text.

    Args:
        needed_by: The key of the configuration that needs it.

    Raises:
        JobError: If it is not installed.
    """
    try:
        import tensorflow_text as text
    except ImportError as error:
        raise missing_extra(needed_by, "tensorflow_text") from error
    module: ModuleType = text
    return module


def missing_extra(needed_by: str, package: str) -> JobError:
    """Returns the error of a package of the extra `subwords` that is not installed."""
    return JobError(
        f"The package {package} is not installed.",
        where=needed_by,
        expected="the extra `subwords`",
        fix='Install it: pip install "seqloom[subwords]", or change that setting.',
    )


def register_operations() -> None:
    """Makes graphs with tensorflow_text's operations loadable, if it is installed."""
    with contextlib.suppress(ImportError):
        import tensorflow_text  # noqa: F401
