"""No dataset has tf.data's tuning thread, whose sleep every iterator would wait for at its end."""

import ast
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.packing import pack
from trainer.data.reading import read
from trainer.data.tfrecords import stream
from trainer.word2vec import windows
from trainer.word2vec.sampling import NoiseTable
from trainer.word2vec.settings import Word2vecSettings

ROOT = Path(__file__).parents[3]


def steps(files: list[str]) -> tf.data.Dataset:
    counts = np.array([3, 2, 1], np.int64)
    return windows.steps(files, Word2vecSettings(), tf.ones([3]), NoiseTable(counts, 0.75), [0, 1])


DATASETS = {
    "read": lambda files: read(files, batch_tokens=64),
    "read in a drawn order": lambda files: read(files, batch_tokens=64, seed=1),
    "pack": lambda files: pack(files, rows=2, time=8),
    "stream": stream,
    "steps of word2vec": steps,
}


@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_has_no_tuning_thread(corpus, name: str) -> None:
    assert DATASETS[name](corpus.transformed["train"]).options().autotune.enabled is False


def test_all_datasets_are_created_where_autotuning_is_off() -> None:
    making = set()
    for package in ("pipeline", "components", "trainer"):
        for path in (ROOT / package).rglob("*.py"):
            calls = [
                ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
            ]
            if any(call.startswith("tf.data.") and not call.startswith("tf.data.Options") for call in calls):
                making.add(str(path.relative_to(ROOT)))
    # Datasets created within these are parts of a dataset that one of the functions above returns, or of the one that
    # counts the tokens of spans.
    assert making == {
        "trainer/data/tfrecords.py",
        "trainer/data/position.py",
        "trainer/word2vec/windows.py",
        "components/sequence_transform/shard_work.py",
    }
