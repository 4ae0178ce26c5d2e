"""The compared trainings, on a corpus of two groups of words that never occur together."""

import json
import random
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from bench.measuring.data_process import run_python
from bench.vectors.word2vec_sides import GENSIM, KERAS, OURS, Job, Trained
from trainer.vectors import vector_reading

pytestmark = pytest.mark.slow

GROUPS = [[f"{group}{number}" for number in range(10)] for group in "ab"]
WORDS = [word for pair in zip(*GROUPS, strict=True) for word in pair]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, write_transformed) -> Job:
    folder = tmp_path_factory.mktemp("sides")
    random_ = random.Random(1)
    documents = [[*random_.choices(GROUPS[number % 2], k=30), "rare"] for number in range(400)]
    ids = {word: number for number, word in enumerate(WORDS, 4)}
    for split in ("train", "eval"):
        path = folder / f"Split-{split}" / "data_tfrecord-0.gz"
        path.parent.mkdir()
        tokens = [[ids.get(word, 1) for word in document] for document in documents]
        write_transformed(path, [{"id": b"%d" % n, "tokens": row} for n, row in enumerate(tokens)], label=False)
    counts = [sum(document.count(word) for document in documents) for word in WORDS]
    (folder / "vocabulary.txt").write_text("".join(f"{w}\n" for w in ["<pad>", "<unk>", "<bos>", "<eos>", *WORDS]))
    (folder / "counts.txt").write_text("".join(f"{count}\n" for count in [0, 0, 0, 0, *counts]))
    (folder / "sentences.txt").write_text("".join(" ".join(document) + "\n" for document in documents))
    sentences, vectors = (str(folder / name) for name in ("sentences.txt", "vectors.bin"))
    training = {"dimensions": 12, "epochs": 30, "seed": 1, "vectors": vectors}
    return Job(str(folder), str(folder), sentences, documents=400, tokens=31 * 400, **training)


def train(side: str, job: Job) -> Trained:
    ended = run_python(
        ["-m", "bench.vectors.word2vec_sides", side, json.dumps(asdict(job))], Path(job.vectors + ".log")
    )
    return Trained(**json.loads(ended.output.splitlines()[-1]))


@pytest.mark.parametrize("side", [OURS, GENSIM])
def test_words_of_a_group_become_similar(job: Job, side: str) -> None:
    trained = train(side, job)
    assert trained.words == 31 * 400 * 30
    assert trained.seconds > 0
    found = vector_reading.read(job.vectors)
    assert sorted(found.words) == sorted(WORDS)
    assert found.vectors.shape == (20, 12)
    unit = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)
    alike = np.array([[a[0] == b[0] for b in found.words] for a in found.words]) & ~np.eye(20, dtype=bool)
    other = np.array([[a[0] != b[0] for b in found.words] for a in found.words])
    assert (unit @ unit.T)[alike].mean() > (unit @ unit.T)[other].mean() + 0.1


def test_keras_is_measured_on_a_few_thousand_pairs_and_their_words(job: Job) -> None:
    trained = train(KERAS, job)
    # A word has at most 10 neighbors, and each of these pairs 5 negatives.
    assert 3_000 / 60 <= trained.words < job.tokens
    assert trained.seconds > 0
