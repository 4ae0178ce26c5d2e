"""Attributes of tokens against texts and their hashes in plain Python."""

from __future__ import annotations

import farmhash
import regex
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer.tagger.linear import attributes

# Letters whose case and kind no version of Unicode in use disputes, and any other sign.
LETTERS = st.sampled_from("aZéÉßΣ日本々カーーひらشبאÅ\U0001d400")
SIGNS = st.sampled_from("0٣7.-'\u0301\0 \ud7ff\U0001f600_")
WORDS = st.text(LETTERS | SIGNS, max_size=6)
SENTENCES = st.lists(st.lists(WORDS, max_size=5), min_size=1, max_size=3)
KINDS = {r"\p{Han}": "H", "[\\p{Katakana}\u30fc]": "K", r"\p{Hiragana}": "h", r"\p{Lu}": "A", r"[\p{L}\p{M}]": "a"}


def shape(word: str) -> str:
    """The kinds of a word's characters; runs of letters of a kind, and of digits, count once."""
    found = ""
    for character in word:
        kind = next((sign for pattern, sign in KINDS.items() if regex.match(pattern, character)), None)
        kind = kind or ("0" if regex.match(r"\p{Nd}", character) else None)
        sign = f"<{kind}>" if kind else character
        found += "" if kind and found.endswith(sign) else sign
    for kind, sign in {"H": "\ue000", "K": "\ue001", "h": "\ue002", "A": "A", "a": "a", "0": "0"}.items():
        found = found.replace(f"<{kind}>", sign)
    return found


def spelled(word: str) -> list[str]:
    affixes = [word[:1], word[:2], word[:3], word[-1:], word[-2:], word[-3:]]
    return [word, word.replace("\0", " ").lower(), shape(word), *affixes]


def hashed(text: str) -> int:
    # The package takes no text with a NUL.
    by_operation = int.from_bytes(tf.fingerprint([text.encode()]).numpy().tobytes(), "little")
    assert "\0" in text or by_operation == farmhash.fingerprint64(text)
    return by_operation % 2**58


def expected(sentence: list[str], place: int, right: bool) -> list[int]:
    """The keys of a token, slot by slot."""

    def near(by: int, part: int) -> int:
        inside = 0 <= place + by < len(sentence)
        return hashed(spelled(sentence[place + by])[part]) if inside else 0

    around = [(-2, 1), (-1, 1), (-1, 2), *([(1, 1), (1, 2), (2, 1)] if right else [])]
    found = [*map(hashed, spelled(sentence[place])), *(near(*one) for one in around), 0]
    return [key * 32 + slot for slot, key in enumerate(found)]


def found(sentences: list[list[str]], right: bool) -> tf.Tensor:
    width = max(1, *map(len, sentences)) + 1
    words = tf.constant([[word.encode() for word in [*one, *[""] * (width - len(one))]] for one in sentences])
    return attributes.keys(words, tf.sequence_mask([len(one) for one in sentences], width), right=right)


@given(SENTENCES, st.booleans())
@example([["Léa", "in", "東京タワー", "1.5", "a\0b"], [], ["x"]], True)
@settings(max_examples=60, deadline=None)
def test_keys_are_hashes_of_what_is_seen(sentences: list[list[str]], right: bool) -> None:
    keys = found(sentences, right).numpy()
    for number, sentence in enumerate(sentences):
        for place in range(len(sentence)):
            assert keys[number, place].tolist() == expected(sentence, place, right)


def test_shapes_tell_scripts_and_cases_apart() -> None:
    words = ["Lea", "McDonald", "EU", "IPv6", "3.14", "2024年", "東京", "タワー", "いる", "שלום", ""]
    shapes = [shape(word) for word in words]
    assert shapes[:5] == ["Aa", "AaAa", "A", "Aa0", "0.0"]
    assert len(set(shapes)) == len(words)
    hashes = attributes.spellings(tf.constant([word.encode() for word in words])).numpy()
    assert hashes[:, 2].tolist() == list(map(hashed, shapes))
    assert attributes.spellings(tf.constant([], tf.string)).shape == (0, 9)


def test_a_batch_may_have_no_sentence() -> None:
    assert attributes.keys(tf.zeros([0, 1], tf.string), tf.zeros([0, 1], tf.bool)).shape == (0, 1, 16)
