"""Subword models: trained on the train split, applied in the graph, without loss.

Models see escaped text, so that no piece is a line break, a reserved word or the notation of a byte: each piece is a
line of the vocabulary, and joining them restores the text.
"""

from __future__ import annotations

import hashlib
import heapq
import io
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from trainer.data import features as f
from trainer.data import kinds
from trainer.errors import JobError
from trainer.settings import RESERVED_WORDS, SubwordSettings, TransformSettings
from trainer.text.normalization import missing_extra, normalize, tensorflow_text

_SPACE, _UNKNOWN = "\u2581", "\u2585"
_ESCAPES = {"\\": "\\", "\n": "n", "\r": "r", "\t": "t", "\0": "0", _SPACE: "_", _UNKNOWN: "#"}
# Reserved words and the notation of bytes, which the marker `\:` after `<` breaks up.
_NOTATION = "<(" + "|".join([*(word[1:] for word in RESERVED_WORDS), "0x"]) + ")"
_CHUNK = 4_000
_UNKNOWN_PIECE = "\\?"
_THREADS = 4


def escape(text: tf.Tensor) -> tf.Tensor:
    """Replaces a model's special characters by a backslash and a letter in UTF-8 text, string, any shape."""
    for character, letter in _ESCAPES.items():
        escaped = f"\\{letter}".replace("\\", r"\\")
        text = tf.strings.regex_replace(text, rf"\x{{{ord(character):x}}}", escaped)
    return tf.strings.regex_replace(text, _NOTATION, r"<\\:\1")


class Subwords(tf.Module):
    """A subword model as a TensorFlow operation.

    Args:
        model: The model, as `train` returns it.

    Raises:
        JobError: If tensorflow_text is not installed.
    """

    def __init__(self, model: bytes) -> None:
        super().__init__(name="subwords")
        text = tensorflow_text("transform.tokenizer: subwords")
        self.tokenizer: Any = text.SentencepieceTokenizer(model=model, out_type=tf.string)

    def __call__(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Splits text, string [segments], into pieces, ragged string [segments, time]."""
        found: tf.RaggedTensor = self.tokenizer.tokenize(escape(text))
        return found


def load(path: str) -> Subwords:
    """Loads a model from its file."""
    with tf.io.gfile.GFile(path, "rb") as file:
        return Subwords(file.read())


def pieces(model: bytes) -> list[str]:
    """Returns the pieces of a model that text can yield, all of which the vocabulary needs."""
    processor = _sentencepiece().SentencePieceProcessor(model_proto=model)
    return [
        processor.id_to_piece(number)
        for number in range(processor.get_piece_size())
        if not processor.is_unknown(number) and not processor.is_control(number)
    ]


def train_on_records(batches: Iterable[tf.Tensor], settings: TransformSettings) -> bytes:
    """Trains a model on raw SequenceExamples.

    Args:
        batches: Serialized records, string [batch] each.
        settings: The transform section of the configuration.

    Returns:
        The model, which does not depend on the order and batches of the documents.

    Raises:
        JobError: If the extra is not installed, or the texts are too few for a model of this size.
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def escaped(serialized: tf.Tensor) -> tf.Tensor:
        return escape(normalize(f.parse_raw(serialized, kinds.PLAIN_TEXT)[f.TEXT].flat_values, settings))

    texts = (text.decode() for serialized in batches for text in escaped(serialized).numpy().tolist())
    return train(texts, settings.subwords or SubwordSettings(), settings.reserved)


def train(texts: Iterable[str], settings: SubwordSettings, reserved: tuple[str, ...] = ()) -> bytes:
    """Trains a model on escaped texts; see `train_on_records`.

    Args:
        texts: Normalized and escaped texts.
        settings: The subword model's settings.
        reserved: Words that are always one piece.
    """
    sentencepiece = _sentencepiece()
    sample = _sample(texts, settings.sample_mb * 2**20)
    written = io.BytesIO()
    sentencepiece.set_random_generator_seed(0)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sample),
            model_writer=written,
            model_type=settings.model,
            vocab_size=settings.size,
            hard_vocab_limit=False,
            character_coverage=settings.character_coverage,
            user_defined_symbols=list(reserved),
            byte_fallback=True,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            unk_piece=_UNKNOWN_PIECE,
            unk_id=0,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            num_threads=_THREADS,
            minloglevel=2,
        )
    except (RuntimeError, OSError) as error:
        found = f"{len(sample)} stretches of text; sentencepiece: {str(error).strip()}"
        expected, fix = f"enough text for {settings.size} pieces", "Add text, or change transform.subwords.size."
        what, where = "The subword model cannot be trained.", "SequenceTransform, train split"
        raise JobError(what, where=where, found=found, expected=expected, fix=fix) from error
    return written.getvalue()


def _sample(texts: Iterable[str], limit: int) -> list[str]:
    """Samples stretches of text up to a number of bytes: those with the smallest hashes, whatever the texts' order."""
    heap: list[tuple[int, str]] = []
    total, bound = 0, -(2**64)
    # sentencepiece takes sentences of at most 4,192 bytes.
    size = _CHUNK // 4
    for stretch in (text[start : start + size] for text in texts for start in range(0, len(text), size)):
        encoded = stretch.encode()
        key = -int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "big")
        if key <= bound:
            continue
        heapq.heappush(heap, (key, stretch))
        total += len(encoded)
        while total > limit:
            bound, dropped = heapq.heappop(heap)
            total -= len(dropped.encode())
    return [stretch for _, stretch in sorted(heap, reverse=True)]


def _sentencepiece() -> Any:
    try:
        import sentencepiece
    except ImportError as error:
        raise missing_extra("transform.tokenizer: subwords", "sentencepiece") from error
    return sentencepiece
