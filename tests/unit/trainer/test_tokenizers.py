"""Tokens of every tokenizer, their marks, limits, counts and ids, against plain Python."""

import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer.data import features, kinds
from trainer.errors import JobError
from trainer.settings import SubwordSettings, TransformSettings
from trainer.text import preprocessing, subwords
from trainer.text.lines_table import lines_table

WORDS = ["a", "B", "film", "<pad>", "<unk>", "<bos>", "12", "\u0661", "é", "日本", "\u00a0", "long" * 9, "\\n"]
PIECES = [*WORDS, " ", "\n", "\r\n", "\t", "\0", ".", "\x0b"]


def batch(pattern: bytes, characters: str) -> list[list[str]]:
    """Documents of pieces and any characters, from two draws: one draw per piece would take most of a test's time."""
    documents: list[list[str]] = [[]]
    others = iter(characters)
    for byte in pattern:
        number = byte % 32
        if number == 31:
            documents.append([])
        elif number > 28 or not documents[-1]:
            documents[-1].append("")
        if number < 29:
            documents[-1][-1] += PIECES[number] if number < len(PIECES) else next(others, "")
    return documents


ANY = st.characters(exclude_categories=["Cs"])
DOCUMENTS = st.builds(batch, st.binary(max_size=40), st.text(ANY, max_size=10))
MANY_DOCUMENTS = DOCUMENTS | st.builds(batch, st.binary(min_size=60, max_size=300), st.text(ANY, max_size=40))
SETTINGS = settings(deadline=None, max_examples=100)
"""Few examples of many documents: the time of a call hardly depends on the number of documents."""
PLACES = st.sampled_from([None, "document", "segment"])
BOS, EOS = "\x02", "\x03"


def configured(**values: object) -> TransformSettings:
    return TransformSettings.model_validate(values)


def ragged(documents: list[list[str]]) -> tf.RaggedTensor:
    """Documents as segments of one value each, as records are parsed."""
    segments = [segment for document in documents for segment in document]
    values = tf.RaggedTensor.from_row_lengths(
        tf.constant(segments, tf.string, shape=[len(segments)]), tf.ones([len(segments)], tf.int64)
    )
    return tf.RaggedTensor.from_row_lengths(values, tf.constant([len(d) for d in documents], tf.int64))


STEPS = tf.RaggedTensorSpec([None, None, None], tf.string, 2, tf.int64)
"""Segments or tagged tokens of documents, one value each."""


@functools.cache
def traced(function: Callable[..., object], settings: str, inputs: int = 1) -> tf.types.experimental.GenericFunction:
    """A function of documents with settings, JSON, as in the transform graph: traced once for many examples."""
    given_settings = TransformSettings.model_validate_json(settings)
    return tf.function(lambda *values: function(*values, given_settings), [STEPS] * inputs, autograph=False)


@pytest.fixture(scope="module", autouse=True)
def _release() -> Iterator[None]:
    """TensorFlow complains about functions that still exist when the interpreter exits."""
    yield
    traced.cache_clear()


def count(text: tf.RaggedTensor, given_settings: TransformSettings) -> tuple[tf.Tensor, tf.Tensor]:
    return preprocessing.count_tokens({features.TEXT: text}, given_settings, kinds.PLAIN_TEXT)


def as_text(rows: tf.RaggedTensor) -> list[list[str]]:
    """Tokens as text; a mark as a control character that stands for its id."""
    return [[chr(token[1]) if token[:1] == b"\xff" else token.decode() for token in row] for row in rows.to_list()]


def tokenize(documents: list[list[str]], model: subwords.Subwords | None = None, **values: object) -> list[list[str]]:
    return as_text(preprocessing.tokenize(ragged(documents), configured(**values), model))


@pytest.mark.parametrize(
    ("tokenizer", "split"),
    [
        ("whitespace", lambda text: [token for token in re.split("[ \t\n\v\f\r]+", text) if token]),
        ("characters", lambda text: [{"\n": "\\n", "\r": "\\r"}.get(character, character) for character in text]),
    ],
)
@given(documents=DOCUMENTS)
@example([["a\u00a0b \t\x0b\x0cc\r\nd", "\u2028 \x85"]])
@settings(deadline=None)
def test_texts_are_split_at_ascii_whitespace_or_into_code_points(tokenizer: str, split, documents) -> None:
    given_settings = configured(tokenizer=tokenizer).model_dump_json()
    expected = [[token for text in document for token in split(text)] for document in documents]
    assert as_text(traced(preprocessing.tokenize, given_settings)(ragged(documents))) == expected


def test_invalid_bytes_are_replacement_characters_and_no_character_is_a_mark() -> None:
    for tokenizer in ("whitespace", "characters"):
        text = tf.ragged.constant([[[b"\xff"]]], dtype=tf.string)
        tokens = preprocessing.tokenize(text, configured(tokenizer=tokenizer, bos="segment"))
        assert tokens.to_list() == [[b"\xff\x02", "\ufffd".encode()]]
    tokens = preprocessing.tokenize(ragged([["\x02 \x03"]]), configured(tokenizer="whitespace", bos="document"))
    assert tokens.to_list() == [[b"\xff\x02", b"\x02", b"\x03"]]


@given(
    MANY_DOCUMENTS, st.integers(3, 9), st.sampled_from(["head", "tail", "head+tail"]), PLACES, PLACES, st.integers(0, 4)
)
@SETTINGS
def test_marks_truncation_and_short_documents(
    documents: list[list[str]], to: int, keep: str, bos: str | None, eos: str | None, min_length: int
) -> None:
    plain = [[re.sub("[^ \t\n\v\f\r\x21-\x7e]", "_", text) for text in document] for document in documents]
    expected = []
    for document in plain:
        cut, tokens = [text.split() for text in document], []
        for segment in cut:
            tokens += [BOS] * (bos == "segment") + segment + [EOS] * (eos == "segment")
        room = to - (bos == "document") - (eos == "document")
        head = {"head": room, "tail": 0, "head+tail": room // 4}[keep]
        if len(tokens) > room:
            tokens = tokens[:head] + tokens[len(tokens) - (room - head) :]
        tokens = [BOS] * (bos == "document") + tokens + [EOS] * (eos == "document")
        expected.append(tokens if sum(map(len, cut)) >= min_length else [])
    limits = {"truncate": {"to": to, "keep": keep}, "bos": bos, "eos": eos, "min_length": min_length}
    assert tokenize(plain, tokenizer="whitespace", **limits) == expected


WORD_OPTIONS = {"strip_html": True, "nfkc": True, "digits": True, "bos": "document"}


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("a b c d", {"pad": {"to": 3}}, ["a", "b", "c"]),
        ("a", {"pad": {"to": 3}}, ["a"]),
        ("a b c d", {"pad": {"to": 3}, "truncate": {"to": 2, "keep": "tail"}}, ["c", "d"]),
        ("<b>\uff26ilm</b> 1984 &lt;", WORD_OPTIONS, [BOS, "film", "0000", "<"]),
        ("Film", {"lowercase": False}, ["Film"]),
        ("Film", {"tokenizer": "whitespace", "lowercase": True}, ["film"]),
        ("ab \u00e9\u00e9 abcd abcde", {"max_token_bytes": 4}, ["ab", "\u00e9\u00e9", "abcd", "\x01"]),
    ],
)
def test_options_of_tokens(text: str, options: dict, expected: list[str]) -> None:
    assert tokenize([[text]], **options) == [expected]


def table(path: Path, words: list[str]) -> tf.lookup.StaticHashTable:
    path.write_text("".join(f"{word}\n" for word in [*features.RESERVED_WORDS, *words]), encoding="utf-8", newline="")
    return lines_table(str(path), features.UNK)


@pytest.fixture(scope="module")
def model() -> subwords.Subwords:
    return subwords.Subwords(subwords.train(["the film was good"] * 20, SubwordSettings(size=300)))


OPTIONS = st.fixed_dictionaries(
    {
        "tokenizer": st.sampled_from(["words", "whitespace", "characters", "subwords"]),
        "nfkc": st.booleans(),
        "strip_html": st.booleans(),
        "digits": st.booleans(),
        "max_token_bytes": st.sampled_from([None, 3]),
        "oov_buckets": st.sampled_from([0, 1, 7]),
        "bos": PLACES,
        "eos": PLACES,
        "truncate": st.sampled_from([None, {"to": 5, "keep": "head+tail"}]),
        "min_length": st.sampled_from([0, 2]),
    }
)


@given(documents=DOCUMENTS, options=OPTIONS)
@SETTINGS
def test_no_text_yields_the_id_of_a_mark(
    tmp_path_factory: pytest.TempPathFactory, model: subwords.Subwords, documents: list[list[str]], options: dict
) -> None:
    if options["tokenizer"] == "subwords":
        options = {**options, "digits": False, "max_token_bytes": None, "oov_buckets": 0}
    given_settings = configured(**options)
    words = ["film", "a", "\\n", "0", "b"]
    ids = preprocessing.lookup(
        preprocessing.tokenize(ragged(documents), given_settings, model),
        table(tmp_path_factory.mktemp("table") / "vocabulary.txt", words),
        given_settings,
    )
    counts = Counter(ids.flat_values.numpy().tolist())
    assert counts[features.PAD] == 0
    assert (counts[features.BOS] > 0) <= (options["bos"] is not None)
    assert (counts[features.EOS] > 0) <= (options["eos"] is not None)
    assert all(0 < number < 9 + given_settings.oov_buckets for number in counts)
    for row, document in zip(ids.to_list(), documents, strict=True):
        limits = {"document": 1, "segment": len(document), None: 0}
        assert row.count(features.BOS) <= limits[options["bos"]]
        assert row.count(features.EOS) <= limits[options["eos"]]
        assert options["truncate"] is None or len(row) <= 5
        if options["bos"] == "document" and row:
            assert row[0] == features.BOS
        if options["eos"] == "document" and row:
            assert row[-1] == features.EOS


def test_unknown_words_share_buckets_by_their_hash(tmp_path: Path) -> None:
    given_settings = configured(tokenizer="whitespace", oov_buckets=5, max_token_bytes=9, bos="document")
    words = table(tmp_path / "vocabulary.txt", ["the", "film"])
    tokens = preprocessing.tokenize(ragged([["the x film y x <pad> muchtoolong z"]]), given_settings)
    (row,) = preprocessing.lookup(tokens, words, given_settings).to_list()
    expected = {w: 6 + int(tf.strings.to_hash_bucket_fast(w, 5)) for w in ("x", "y", "z", "<pad>")}
    x, y, z, pad = expected.values()
    assert row == [features.BOS, 4, x, 5, y, x, pad, features.UNK, z]
    assert len(set(expected.values())) > 1


def tagged(rows: list[list[tuple[str, str]]]) -> features.Features:
    def steps(number: int) -> tf.RaggedTensor:
        return ragged([[pair[number] for pair in row] for row in rows])

    return {features.TOKENS: steps(0), features.TAGS: steps(1)}


def tag(
    tokens: tf.RaggedTensor, tags: tf.RaggedTensor, given_settings: TransformSettings
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    return preprocessing.tagged_tokens({features.TOKENS: tokens, features.TAGS: tags}, given_settings)


def pairs(documents: list[list[str]], tags: bytes) -> list[list[tuple[str, str]]]:
    drawn = itertools.cycle(("N", "V", "")[byte % 3] for byte in tags)
    return [[(text, next(drawn)) for text in document] for document in documents]


@given(
    st.builds(pairs, MANY_DOCUMENTS, st.binary(min_size=1, max_size=30)),
    st.sampled_from([1, 4, 9]),
    st.sampled_from([0, 3]),
)
@SETTINGS
def test_tagged_tokens_keep_their_tags(rows: list[list[tuple[str, str]]], to: int, min_length: int) -> None:
    limits = {"truncate": {"to": to, "keep": "tail"}, "min_length": min_length}
    given_settings = configured(tokenizer="whitespace", **limits).model_dump_json()
    tokens, tags = traced(tag, given_settings, 2)(*tagged(rows).values())
    expected = [row[-to:] if len(row) >= min_length else [] for row in rows]
    assert [[t.decode() for t in row] for row in tokens.to_list()] == [[t for t, _ in row] for row in expected]
    assert [[t.decode() for t in row] for row in tags.to_list()] == [[t for _, t in row] for row in expected]


def test_tagged_tokens_are_normalized_but_not_split() -> None:
    options = {"lowercase": True, "nfkc": True, "digits": True, "max_token_bytes": 9}
    rows = [[("New York", "N"), ("\uff21 1984", "M"), ("x" * 10, "X"), ("", "E")]]
    tokens, tags = preprocessing.tagged_tokens(tagged(rows), configured(tokenizer="whitespace", **options))
    assert tokens.to_list() == [[b"new york", b"a 0000", b"\xff\x01", b""]]
    assert tags.to_list() == [[b"N", b"M", b"X", b"E"]]


@given(MANY_DOCUMENTS, st.sampled_from([(None, None), ("document", "segment"), ("segment", "document")]))
@SETTINGS
def test_counts_match_a_counter_without_marks(documents: list[list[str]], marks: tuple[str | None, str | None]) -> None:
    options = {"tokenizer": "whitespace", "max_token_bytes": 20, "truncate": {"to": 6, "keep": "tail"}}
    given_settings = configured(**options, bos=marks[0], eos=marks[1]).model_dump_json()
    rows = traced(preprocessing.tokenize, given_settings)(ragged(documents)).to_list()
    expected = Counter(token for row in rows for token in row if token[:1] != b"\xff")
    tokens, counts = traced(count, given_settings)(ragged(documents))
    assert dict(zip(tokens.numpy().tolist(), counts.numpy().tolist(), strict=True)) == expected
    assert counts.dtype == tf.int64


def test_counts_of_tagged_tokens_and_of_pieces(model: subwords.Subwords) -> None:
    def counted(*arguments: object) -> dict[bytes, int]:
        tokens, counts = preprocessing.count_tokens(*arguments)
        return dict(zip(tokens.numpy().tolist(), counts.numpy().tolist(), strict=True))

    raw = tagged([[("the", "D"), ("film", "N")], [("the", "D")]])
    assert counted(raw, configured(tokenizer="whitespace"), kinds.TAGGED_TEXT) == {b"the": 2, b"film": 1}
    text = {features.TEXT: ragged([["the film", "the film"]])}
    pieces = Counter(2 * model(tf.constant(["the film"])).to_list()[0])
    assert counted(text, configured(tokenizer="subwords", eos="document"), kinds.LABELLED_TEXT, model) == pieces


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"tokenizer": "words"}, "needs tokenizer whitespace"),
        ({"tokenizer": "whitespace", "bos": "document"}, "bos cannot be combined with a tagged corpus"),
        ({"tokenizer": "whitespace", "strip_html": True}, "strip_html cannot be combined with"),
        ({"tokenizer": "whitespace", "phrases": {}}, "phrases cannot be combined with"),
    ],
)
def test_settings_that_split_tagged_tokens_are_rejected(options: dict, part: str) -> None:
    with pytest.raises(JobError, match=part):
        preprocessing.make_preprocessing_fn(configured(**options), kinds.TAGGED_TEXT, vocabulary="v", classes="t")
    assert configured(**options).obstacle(kinds.PLAIN_TEXT) is None
