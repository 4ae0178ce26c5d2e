"""Files of word vectors: round trips, what gensim reads of them, and broken files."""

import gzip
import re
import struct
from pathlib import Path

import gensim.models
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.errors import JobError
from trainer.vectors import vector_files, vector_reading
from trainer.vectors.vector_files import WordVectors

NASTY = st.sampled_from([*" \t\n\r\x0b\x85\xa0\u2028\u3000\\u\"',#é", "0020", "005c"])
WORDS = st.lists(
    st.lists(NASTY | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).map("".join),
    min_size=1,
    max_size=8,
    unique=True,
)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def word_vectors(draw: st.DrawFn) -> WordVectors:
    words = draw(WORDS)
    shape = (len(words), draw(st.integers(1, 4)))
    return WordVectors(words, draw(arrays.arrays(np.float32, shape, elements=FLOATS)))


def assert_equal(found: WordVectors, expected: WordVectors) -> None:
    """Equal to the bit: 0.0 is not -0.0."""
    assert found.words == expected.words
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors.view(np.uint32), expected.vectors.view(np.uint32))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


def write(folder: Path, given_vectors: WordVectors) -> list[str]:
    vector_files.write_text(f"{folder}/v.txt", given_vectors)
    vector_files.write_binary(f"{folder}/v.bin", given_vectors)
    vector_files.write_projector(str(folder), given_vectors, range(len(given_vectors.words)))
    return [f"{folder}/{name}" for name in ("v.txt", "v.bin", "vectors.tsv")]


@given(word_vectors())
@example(WordVectors(["\ufeff", " ", "\\u0020", "\\\\u005c ", '"a', "\\"], np.eye(6, 2, dtype=np.float32) / 3))
@settings(max_examples=150)
def test_every_format_round_trips(folder: Path, expected: WordVectors) -> None:
    for path in write(folder, expected):
        assert_equal(vector_reading.read(path), expected)


@given(word_vectors())
@settings(max_examples=100)
def test_gensim_reads_the_same_values_and_its_files_are_read(folder: Path, expected: WordVectors) -> None:
    for path in write(folder, expected)[:2]:
        found = gensim.models.KeyedVectors.load_word2vec_format(path, binary=path.endswith("bin"))
        assert [vector_files.unescape(word) for word in found.index_to_key] == expected.words
        np.testing.assert_array_equal(found.vectors, expected.vectors)
        found.save_word2vec_format(path, binary=path.endswith("bin"), sort_attr="none")
        assert_equal(vector_reading.read(path), expected)


@given(st.text())
def test_escaped_words_have_no_white_space_and_round_trip(word: str) -> None:
    escaped = vector_files.escape(word)
    assert not re.search(r"[\s\x00-\x1f\x7f-\x9f]", escaped)
    assert vector_files.unescape(escaped) == word
    if not re.search(r"[\s\x00-\x1f\x7f-\x9f]|\\u[0-9a-f]{4}", word):
        assert escaped == word


def test_files_follow_word2vec_and_the_projector_with_the_shortest_numbers(tmp_path: Path) -> None:
    values = np.array([[0.1, 1 / 3, 16777216, 1e-45, 3.4028235e38]], np.float32)
    vector_files.write_text(f"{tmp_path}/v.txt", WordVectors(["New York"], values))
    expected = "1 5\nNew\\u0020York 0.1 0.33333334 16777216 1e-45 3.4028235e+38\n"
    assert (tmp_path / "v.txt").read_text() == expected
    vector_files.write_binary(f"{tmp_path}/v.bin", WordVectors(["a", "é"], np.array([[1, 2], [3, 4]], np.float32)))
    binary = b"2 2\na " + struct.pack("<2f", 1, 2) + b"\n\xc3\xa9 " + struct.pack("<2f", 3, 4) + b"\n"
    assert (tmp_path / "v.bin").read_bytes() == binary
    words = WordVectors(['"', "a\tb"], np.array([[1, 2.5], [3, 4]], np.float32))
    vector_files.write_projector(str(tmp_path), words, [7, 3])
    assert (tmp_path / "vectors.tsv").read_text() == "1\t2.5\n3\t4\n"
    assert (tmp_path / "metadata.tsv").read_text() == 'word\tcount\n"\t7\na\\u0009b\t3\n'


MANY = np.random.default_rng(1).normal(size=(9_000, 20)).astype(np.float32)


@pytest.mark.parametrize("vectors", [MANY, np.zeros([0, 3], np.float32)])
def test_files_of_many_blocks_and_of_no_words_are_written_and_read(tmp_path: Path, vectors: np.ndarray) -> None:
    expected = WordVectors([f"w{number}" for number in range(len(vectors))], vectors)
    for path in write(tmp_path, expected)[: 3 if expected.words else 2]:
        assert_equal(vector_reading.read(path), expected)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("glove.txt", b'the 1 -2.5\n" 0.1 3e-2\n'),
        ("glove.txt", b'\xef\xbb\xbfthe 1 -2.5\r\n" 0.1 3e-2'),
        ("word2vec.txt", b'2 2\nthe 1 -2.5 \n" 0.1 3e-2 \n'),
        ("word2vec.txt", b'2 2\r\nthe 1 -2.5\r\n" 0.1 3e-2\r\n\r\n'),
        ("named_binary.bin", b'2 2\nthe 1 -2.5\n" 0.1 3e-2\n'),
        ("named_text.txt", b"2 2\nthe " + struct.pack("<2f", 1, -2.5) + b'\n" ' + struct.pack("<2f", 0.1, 0.03)),
        ("glove.txt.gz", gzip.compress(b'the 1 -2.5\n" 0.1 3e-2\n', mtime=0)),
        ("no_line_feeds.bin", b"2 2\nthe " + struct.pack("<2f", 1, -2.5) + b'" ' + struct.pack("<2f", 0.1, 0.03)),
    ],
)
def test_files_of_other_tools_are_read(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    expected = WordVectors(["the", '"'], np.array([[1, -2.5], [0.1, 0.03]], np.float32))
    assert_equal(vector_reading.read(f"{tmp_path}/{name}"), expected)
    spaced = [(". .", [7, 8]), ("the", [1, 2]), ("at a@b.org", [3, 4]), ("a b c", [5, 6]), ("y", [0, 1]), ("z", [1, 1])]
    for header in ("", "6 2\n"):
        lines = "".join(f"{word} {first} {second}\n" for word, (first, second) in spaced)
        (tmp_path / "spaced.txt").write_text(header + lines)
        words, vectors = zip(*spaced, strict=True)
        found = vector_reading.read(f"{tmp_path}/spaced.txt")
        assert_equal(found, WordVectors(list(words), np.array(vectors, np.float32)))
    # The first of duplicate words counts.
    (tmp_path / "v.txt").write_text("a 1\nb 2\na 3\na 4\n")
    first = WordVectors(["a", "b"], np.array([[1], [2]], np.float32))
    assert_equal(vector_reading.read(f"{tmp_path}/v.txt"), first)


LONG = 5_000
TWO = b"2 2\na " + struct.pack("<2f", 1, 2) + b"\nb " + struct.pack("<2f", 3, 4)


@pytest.mark.parametrize(
    ("name", "content", "where", "parts"),
    [
        ("v.txt", b"2 2\na 1 2\nb 1\n", ":3", ["number of columns", "found: 1 numbers", "expected: 2 numbers"]),
        ("v.txt", b"a 1 2\nb 1 2\nb c x 2\n", ":3", ["not a number", "found: 'x'"]),
        ("v.txt", b"2 2\na 1 2\nb nan 2\n", "", ["not finite", "found: nan in the vector of 'b'; 1 such"]),
        ("v.txt", b"9 100000000\na 1 2", ":2", ["number of columns", "found: 2 numbers", "100000000 numbers"]),
        ("v.txt", b"a 1\n" * LONG + b"a x\n", f":{LONG + 1}", ["not a number", "found: 'x'"]),
        ("v.txt", b"2 2\na 1 2\nb 1 \n", ":3", ["found: 1 numbers"]),
        ("v.txt", b"a 1  2\n", ":1", ["not a number", "found: ''"]),
        ("v.txt", b"a 1 2\n\xff\xfe 1 2\n", ":2", ["not UTF-8", "0xff at column 1"]),
        ("v.txt", b"3 2\na 1 2\nb 1 2\n", "", ["found: 2 words", "expected: 3 words"]),
        ("v.txt", b"1 2\na 1 2\nb 1 2\n", "", ["found: 2 words", "expected: 1 words"]),
        ("v.txt", b"", "", ["has no vectors"]),
        ("v.txt", b"alone\n", "", ["has no vectors"]),
        ("v.bin", TWO[:-1], "", ["found: 1 words", "expected: 2 words"]),
        ("v.bin", TWO[:-9], "", ["found: 1 words"]),
        ("v.bin", b"999999999999 300\n" + TWO[4:], "", ["found: 0 words"]),
        ("v.bin", TWO.replace(b"\nb", b"\n\xff"), ", word 2", ["not UTF-8", "xff"]),
        ("v.bin", TWO.replace(b"\nb", b"\nb c"), ", word 2", ["white space"]),
        ("v.bin", TWO.replace(b"\na", b"\na c"), ", word 2", ["control character", "white space"]),
        ("v.bin", TWO + b"\n\n", ", word 2", ["1 bytes are left"]),
        ("v.bin", TWO.replace(b"2 2", b"9 100000000"), "", ["found: 0 words"]),
        ("v.bin", b"", "", ["has no vectors"]),
        ("v.txt", b"PK\x03\x04", "", ["zip archive"]),
        ("v.bin.gz", gzip.compress(TWO, mtime=0)[:-3], "", ["cannot be read", "end-of-stream"]),
    ],
)
def test_broken_files_are_reported_with_the_line(
    tmp_path: Path, name: str, content: bytes, where: str, parts: list[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(JobError) as caught:
        vector_reading.read(f"{tmp_path}/{name}")
    assert caught.value.where == f"{tmp_path}/{name}{where}"
    for part in parts:
        assert re.search(part, str(caught.value))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "vectors.tsv").touch()
    for name, missing in (("v.txt", "v.txt"), ("v.bin", "v.bin"), ("vectors.tsv", "metadata.tsv")):
        with pytest.raises(JobError, match="cannot be read") as caught:
            vector_reading.read(f"{tmp_path}/{name}")
        assert caught.value.where == f"{tmp_path}/{missing}"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vectors.tsv", b"1\t0\n", "2 words and 1 vectors"),
        ("vectors.tsv", b"1\t0\n1\n", r"vectors\.tsv:2"),
        ("metadata.tsv", b"word\tcount\na\t1\n\xff\t1\n", r"metadata\.tsv:3"),
    ],
)
def test_inconsistent_projector_files_are_rejected(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    vector_files.write_projector(str(tmp_path), WordVectors(["a", "b"], np.eye(2, dtype=np.float32)), [2, 1])
    (tmp_path / name).write_bytes(content)
    with pytest.raises(JobError, match=message):
        vector_reading.read(f"{tmp_path}/vectors.tsv")
