"""Subword models: pieces against sentencepiece's own encoder, and the text that they restore."""

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.shared.sequence_encoding import bytes_feature, sequence_example, step
from tests.pieces import joined
from trainer.data import features
from trainer.errors import JobError
from trainer.settings import SubwordSettings, TransformSettings
from trainer.text import subwords

WORDS = ["the", "film", "was", "<unk>", "<pad>", "good", "wörse", "日本"]
WORDS += ["tab\there", "a\\b", "line\n", "\u2581", "0x41>"]
NASTY = st.sampled_from(
    [
        *("\\", "\\n", "\\:", "\n", "\r", "\t", "\0", "\u2581", "\u2585", " ", "  ", "\ufffd", "\ufffe", "<", "日"),
        *("<unk>", "<pad>", "<bos>", "<eos>", "<0x41>", "<0xE2>", "<s>", "</s>", "<user>", "the", "film", "e\u0301"),
        "\U0001f600\ufe0f",
    ]
)
TEXTS = st.lists(NASTY | st.characters(exclude_categories=["Cs"]), max_size=30).map("".join)


def corpus() -> list[str]:
    random_ = random.Random(3)
    return [" ".join(random_.choices(WORDS, k=random_.randrange(1, 30))) for _ in range(300)]


def records(texts: list[str]) -> list[tf.Tensor]:
    """The texts as batches of raw SequenceExamples, two segments a document."""
    serialized = []
    for start in range(0, len(texts), 2):
        steps = b"".join(step(bytes_feature(text.encode())) for text in texts[start : start + 2])
        serialized.append(sequence_example({"id": bytes_feature(b"a"), "source": bytes_feature(b"")}, {"text": steps}))
    return [tf.constant(serialized[start : start + 50]) for start in range(0, len(serialized), 50)]


def configured(**values: object) -> TransformSettings:
    return TransformSettings.model_validate(
        {"tokenizer": "subwords", "subwords": {"size": 400, **values}, "reserved": ["<user>", "a,b"]}
    )


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(kind: str) -> bytes:
    return subwords.train_on_records(records(corpus()), configured(model=kind))


def cut(model: bytes, texts: list[str]) -> list[list[str]]:
    rows = subwords.Subwords(model)(tf.constant(texts, tf.string, shape=[len(texts)])).to_list()
    return [[piece.decode() for piece in row] for row in rows]


@given(texts=st.lists(TEXTS, max_size=4))
@example(texts=["".join(map(chr, range(0x3000)))])
@example(texts=[" the film ", "<user><user>a,b", "<0x41>\\<0x41", "<<unk>>", "\u2581 \\_ \\"])
@settings(max_examples=200, deadline=None)
def test_any_text_is_restored_from_pieces_that_are_lines_of_a_vocabulary(model: bytes, texts: list[str]) -> None:
    rows, known = cut(model, texts), set(subwords.pieces(model))
    assert [joined(row) for row in rows] == texts
    assert not known & set(features.RESERVED_WORDS)
    used = {piece for row in rows for piece in row}
    assert used <= known
    assert not {"\n", "\r"} & set("".join(used))


def test_pieces_match_sentencepiece_and_include_bytes_and_reserved_words(model: bytes) -> None:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    texts = ["the film was good", "", "  two  spaces ", "日本 wörse ☃", "<user> said a,b"]
    assert cut(model, texts) == processor.encode(texts, out_type=str)
    pieces = subwords.pieces(model)
    assert len(pieces) == len(set(pieces)) <= 400
    assert set(pieces) >= {f"<0x{byte:02X}>" for byte in range(256)} | {"<user>", "a,b"}
    (row,) = cut(model, ["the film<user>"])
    assert len(row) < len("the film<user>")
    assert row[-1] == "<user>"


def test_a_model_depends_neither_on_order_nor_batches(kind: str, model: bytes) -> None:
    batches = records(corpus())
    again = [tf.gather(tf.concat(batches[::-1], 0), tf.range(size - 30, size)) for size in (30, 60, 90, 120, 150)]
    assert subwords.train_on_records(again, configured(model=kind)) == model


TEXTS = [f"the film number {n} was {n % 7}" for n in range(300)]


OTHER_PROCESS = """
import sys
from trainer.settings import SubwordSettings
from trainer.text import subwords

sys.stdout.buffer.write(subwords.train(sys.argv[1:], SubwordSettings(size=300)))
"""


def test_another_process_trains_the_same_model() -> None:
    command, root = [sys.executable, "-c", OTHER_PROCESS, *TEXTS], Path(__file__).resolve().parents[3]
    done = subprocess.run(command, capture_output=True, check=True, cwd=root)
    assert done.stdout == subwords.train(TEXTS, SubwordSettings(size=300))


@pytest.mark.parametrize("package", ["sentencepiece", "tensorflow_text"])
def test_a_missing_extra_is_reported(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(JobError, match=f"The package {package} is not installed") as caught:
        subwords.Subwords(subwords.train(TEXTS, SubwordSettings(size=300)))
    assert "seqloom[subwords]" in caught.value.fix


@given(st.lists(st.text("ab\u00e9", max_size=12), max_size=20), st.integers(1, 40), st.randoms(use_true_random=False))
def test_a_sample_is_the_first_stretches_by_hash_that_fit(texts: list[str], limit: int, random_: random.Random) -> None:
    def rank(text: str) -> bytes:
        return hashlib.blake2b(text.encode(), digest_size=8).digest()

    expected, size = [], 0
    for text in sorted(filter(None, texts), key=rank):
        size += len(text.encode())
        if size > limit:
            break
        expected.append(text)
    shuffled = random_.sample(texts, len(texts))
    assert subwords._sample(shuffled, limit) == expected


@pytest.mark.parametrize(("texts", "size"), [([], 400), (["the film was good"] * 3, 300)])
def test_too_little_text_is_reported(texts: list[str], size: int) -> None:
    characters = [chr(0x4E00 + number) for number in range(300)] if texts else []
    with pytest.raises(JobError, match="cannot be trained") as caught:
        subwords.train([*texts, *characters], SubwordSettings(size=size, character_coverage=1.0))
    assert "transform.subwords.size" in str(caught.value)
