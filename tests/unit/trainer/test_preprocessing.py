"""Tokens against an independent tokenizer in plain Python, and what happens to them on the way to ids."""

import functools
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer.data import features
from trainer.settings import TransformSettings
from trainer.text import preprocessing
from trainer.text.lines_table import lines_table

CASED = TransformSettings(lowercase=False)
# Characters of an old version of Unicode: TensorFlow's tables are not of the same version as Python's.
CHARACTERS = st.characters(exclude_categories=["Cs"]).filter(
    lambda character: unicodedata.ucd_3_2_0.category(character) != "Cn"
)
PIECES = st.sampled_from(["'", "\u2019", "a", "é", " ", "<br>", "<BR />", "<br", "<pad>", "\u200d", "\x01", ".", "\n"])
TEXTS = st.lists(CHARACTERS | PIECES, max_size=30).map("".join)


@functools.cache
def compiled(settings: str) -> tf.types.experimental.GenericFunction:
    """Tokens by settings, JSON, as the transform graph finds them: traced once for many examples."""
    given_settings = TransformSettings.model_validate_json(settings)
    segments = tf.RaggedTensorSpec([None, None, None], tf.string, 2, tf.int64)
    return tf.function(lambda text: preprocessing.tokenize(text, given_settings), [segments], autograph=False)


@pytest.fixture(scope="module", autouse=True)
def _release() -> Iterator[None]:
    """TensorFlow complains about functions that still exist when the interpreter exits."""
    yield
    compiled.cache_clear()


def tokenize(texts: list[list[str | bytes]], settings: TransformSettings = CASED) -> list[list[str]]:
    """Tokens of documents that are given as lists of segments."""
    ragged = tf.RaggedTensor.from_row_lengths(
        tf.constant([segment for document in texts for segment in document], tf.string, shape=[sum(map(len, texts))]),
        tf.constant([len(document) for document in texts], tf.int64),
    )
    one_value_a_step = ragged.with_flat_values(tf.RaggedTensor.from_uniform_row_length(ragged.flat_values, 1))
    rows = compiled(settings.model_dump_json())(one_value_a_step).to_list()
    return [[token.decode() for token in row] for row in rows]


def is_word(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LNM" or category == "Cf"


def reference(text: str) -> list[str]:
    """The tokens, character by character."""
    text = re.sub(r"(?i)<br[\t\n\f\r ]*/?>", " ", text)
    tokens, word = [], ""
    for position, character in enumerate(text):
        apostrophe_inside = character in "'\u2019" and word and position + 1 < len(text) and is_word(text[position + 1])
        if is_word(character) or apostrophe_inside:
            word += "'" if apostrophe_inside else character
            continue
        tokens += [word] if word else []
        word = ""
        if unicodedata.category(character)[0] != "Z" and unicodedata.category(character) != "Cc":
            tokens.append(character)
    return tokens + ([word] if word else [])


@given(st.lists(TEXTS, min_size=1, max_size=20))
@example(["don't", "a'b'c'd", "''a''b''", "rock'n'roll'", "\u2018quoted\u2019 it\u2019s", "a\x01b", "'", ""])
@example(["<br><BR/><Br />a<br\t>b<br\u00a0/>", "<br/ >", "<b>r", "\ufeffa", "a\u200db", "e\u0301", "\U0001f600\ufe0f"])
@settings(max_examples=300, deadline=None)
def test_tokens_match_the_reference(texts: list[str]) -> None:
    assert tokenize([[text] for text in texts]) == [reference(text) for text in texts]


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5), st.booleans())
@example([b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"\xef\xbf\xbe\xef\xbf\xbf", b"a\x00b"], True)
@settings(deadline=None)
def test_any_bytes_give_tokens_without_space(texts: list[bytes], lowercase: bool) -> None:
    for tokens in tokenize([[text] for text in texts], TransformSettings(lowercase=lowercase)):
        for token in tokens:
            assert token
            assert not any(character.isspace() or unicodedata.category(character) == "Cc" for character in token)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A WONDERFUL Film!", ["a", "wonderful", "film", "!"]),
        ("ÉCOLE ÄRGER", ["école", "ärger"]),
        ("ΔΟΣ", ["δο\u03c2"]),
        ("I<BR />AM", ["i", "am"]),
        ("DON\u2019T", ["don't"]),
    ],
)
def test_lower_casing_follows_unicode(text: str, tokens: list[str]) -> None:
    assert tokenize([[text]], TransformSettings()) == [tokens]


def test_segments_are_joined_and_do_not_run_into_each_other() -> None:
    assert tokenize([]) == []
    assert tokenize([[b"caf\xe9 au"]]) == [["caf", "\ufffd", "au"]]
    assert tokenize([["a b", "c"], [], ["", " "], ["don", "'t"]]) == [["a", "b", "c"], [], [], ["don", "'", "t"]]


def test_words_are_looked_up_by_line_and_reserved_ones_are_unknown(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_text("\n".join([*features.RESERVED_WORDS, "the", "<", "pad", ">"]) + "\n", encoding="utf-8")
    table = lines_table(str(path), features.UNK)
    tokens = tf.ragged.constant([["the", "film"], [], ["pad", "<", ">"], list(features.RESERVED_WORDS)])
    assert preprocessing.lookup(tokens, table, CASED).to_list() == [[4, 1], [], [6, 5, 7], [1, 1, 1, 1]]
    assert table.lookup(tf.constant(features.RESERVED_WORDS)).numpy().tolist() == [0, 1, 2, 3]
