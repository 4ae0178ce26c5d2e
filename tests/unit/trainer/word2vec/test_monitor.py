"""What training shows: neighbors against NumPy, points of the curves, the projector's files."""

import itertools
import logging
import string
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins import projector

from trainer.vectors.vector_words import Vocabulary
from trainer.word2vec.model import Tables
from trainer.word2vec.neighbor_monitor import NeighborMonitor
from trainer.word2vec.settings import Word2vecSettings

LOGGER = "seqloom.trainer"


def monitor_of(words: list[str], **values) -> tuple[NeighborMonitor, Tables]:
    settings = Word2vecSettings.model_validate({"dimensions": 4, **values})
    vocabulary = Vocabulary(words, np.arange(2 * len(words), len(words), -1))
    tables = Tables(settings, vocabulary)
    tables.input.assign(np.random.default_rng(1).normal(size=tables.input.shape))
    return NeighborMonitor(settings, vocabulary, tables), tables


def letters(number: int) -> list[str]:
    """Words of only letters."""
    return ["".join(word) for word in itertools.islice(itertools.product(string.ascii_lowercase, repeat=3), number)]


def nearest(words: list[str], vectors: np.ndarray, word: str, k: int) -> list[str]:
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = units @ units[words.index(word)]
    order = [words[row] for row in np.argsort(-similarity)]
    return [other for other in order if other != word][:k]


@pytest.mark.parametrize("ngrams", [None, {"buckets": 9}])
def test_neighbors_are_the_words_with_the_greatest_cosine(ngrams) -> None:
    words = [*letters(30), "1984", "don't", "!"]
    monitor, tables = monitor_of(words, neighbors=8, ngrams=ngrams)
    found = monitor.neighbors()
    # Evenly spread over the words of letters, from the first to the last.
    assert list(found) == [words[row] for row in (0, 4, 8, 12, 16, 20, 24, 29)]
    for word, others in found.items():
        assert others == nearest(words, tables.word_vectors(), word, 6)


def test_the_most_frequent_of_many_words_are_not_shown() -> None:
    words = [*letters(1_500), "1984"]
    monitor, _ = monitor_of(words, neighbors=5)
    shown = [words.index(word) for word in monitor.neighbors()]
    assert (shown[0], shown[-1]) == (100, 999)
    assert np.ptp(np.diff(shown)) <= 1


@pytest.mark.parametrize(
    ("words", "neighbors", "expected"),
    [
        (["ab", "bc"], 0, {}),
        (["1", "2", "3"], 16, {}),
        (["ab"], 16, {"ab": set()}),
        (["ab", "bc", "1"], 16, {"ab": {"bc", "1"}, "bc": {"ab", "1"}}),
    ],
)
def test_small_vocabularies_have_few_neighbors(words: list[str], neighbors: int, expected: dict) -> None:
    found = monitor_of(words, neighbors=neighbors)[0].neighbors()
    assert {word: set(others) for word, others in found.items()} == expected


def test_figures_and_neighbors_are_shown_every_log_steps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    monitor, _ = monitor_of(letters(4), neighbors=2, log_steps=100)
    with tf.summary.create_file_writer(str(tmp_path)).as_default(), caplog.at_level(logging.INFO, LOGGER):
        for number in range(8):
            monitor.step(64, {"loss": 1.0 + number, "learning_rate": 0.5})
    events = EventAccumulator(str(tmp_path), {"tensors": 0}).Reload()
    points = {name: [event.step for event in events.Tensors(name)] for name in events.Tags()["tensors"]}
    assert points == {name: [128, 256, 384, 512] for name in ("step/loss", "step/learning_rate", "neighbors")}
    losses = [tf.make_ndarray(event.tensor_proto).item() for event in events.Tensors("step/loss")]
    assert losses == [2, 4, 6, 8]
    (text,) = tf.make_ndarray(events.Tensors("neighbors")[0].tensor_proto).ravel()
    assert text.decode().split("\n\n") == [f"{w}: {', '.join(names)}" for w, names in monitor.neighbors().items()]
    told = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert len(told) == 4
    assert told[0].startswith("step 128: loss 2, learning_rate 0.5\naaa: ")


def test_the_projector_finds_vectors_words_and_counts(tmp_path: Path) -> None:
    monitor, tables = monitor_of(["film", "caf\u00e9", "1984"])
    monitor.write_projector(str(tmp_path))
    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), projector.ProjectorConfig())
    (embedding,) = config.embeddings
    vectors = np.loadtxt(tmp_path / embedding.tensor_path, delimiter="\t")
    np.testing.assert_allclose(vectors, tables.word_vectors(), rtol=1e-5)
    _, *rows = (tmp_path / embedding.metadata_path).read_text(encoding="utf-8").splitlines()
    assert [row.split("\t") for row in rows] == [["film", "6"], ["caf\u00e9", "5"], ["1984", "4"]]
