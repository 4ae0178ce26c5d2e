"""Weights on disk, and the rows that a model takes from them, against values picked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.jobs import kept_weights, warm_start
from trainer.jobs.kept_weights import WeightArray, Weights
from trainer.jobs.training_job import TrainingJob

WORDS, NEW_WORDS = ["<pad>", "a", "b", "c", "\nbucket 0 of 1"], ["<pad>", "c", "new", "a", "\nbucket 0 of 1"]
CLASSES, NEW_CLASSES = ["x", "y"], ["z", "y", "x"]


def model(words: list[str], classes: list[str], sign: int, *, frozen: bool = False, hidden: int = 2) -> Weights:
    """Weights whose values are numbered; those of another sign differ."""
    parts = [
        WeightArray("embedding", (len(words), 3), "words"),
        WeightArray("pairs", (4, 2), ids=True),
        WeightArray("hidden", (3, hidden)),
        WeightArray("kernel", (2, len(classes)), "classes", -1),
    ]
    values = [sign * (np.arange(np.prod(part.shape), dtype=np.float32).reshape(part.shape) + 1) for part in parts]
    variables = [tf.Variable(value, trainable=not (frozen and n == 0)) for n, value in enumerate(values)]
    settings = {"units": hidden, "schedule": {"name": "linear"}, "warm_start": sign < 0}
    return Weights("tagger", settings, {"words": words, "classes": classes}, parts, variables)


def values(weights: Weights) -> dict[str, list]:
    return {
        part.name: variable.numpy().tolist() for part, variable in zip(weights.parts, weights.variables, strict=True)
    }


@pytest.fixture
def base(tmp_path: Path) -> str:
    """The folder of the weights of an earlier model."""
    kept_weights.write(f"{tmp_path}/Trainer/model/7/weights", model(WORDS, CLASSES, 1))
    return f"{tmp_path}/Trainer/model/7/weights"


def test_what_is_written_is_read(base: str) -> None:
    found, expected = kept_weights.read(base), model(WORDS, CLASSES, 1)
    assert found is not None
    assert found[:4] == expected[:4]
    assert values(found._replace(variables=[tf.Variable(value) for value in found.variables])) == values(expected)


def test_rows_are_matched_by_name_and_new_ones_keep_their_values(base: str) -> None:
    new = model(NEW_WORDS, NEW_CLASSES, -1)
    entry = warm_start.start(new, base)["warm_start"]
    assert entry == {"model": "Trainer/model/7", "words": 4, "new_words": 1, "classes": 2, "new_classes": 1}
    assert values(new) == {
        "embedding": [[1, 2, 3], [10, 11, 12], [-7, -8, -9], [4, 5, 6], [13, 14, 15]],
        "pairs": [[-1, -2], [-3, -4], [-5, -6], [-7, -8]],
        "hidden": [[1, 2], [3, 4], [5, 6]],
        "kernel": [[-1, 2, 1], [-4, 4, 3]],
    }


def test_rows_that_depend_on_ids_are_copied_if_the_words_are_the_same(base: str) -> None:
    new = model(WORDS, CLASSES, -1)
    warm_start.start(new, base)
    assert values(new) == values(model(WORDS, CLASSES, 1))


def test_weights_that_are_not_trained_stay(base: str) -> None:
    new = model(NEW_WORDS, NEW_CLASSES, -1, frozen=True)
    warm_start.start(new, base)
    assert values(new)["embedding"] == values(model(NEW_WORDS, NEW_CLASSES, -1))["embedding"]
    assert values(new)["hidden"] == values(model(WORDS, CLASSES, 1))["hidden"]


def test_other_layers_start_from_scratch_and_name_the_layer_and_the_setting(base: str) -> None:
    new = model(NEW_WORDS, NEW_CLASSES, -1, hidden=5)
    reason = warm_start.start(new, base)["warm_start"]["reason"]
    layer, setting = "hidden has the shape 3 x 2, here 3 x 5", "trainer.units is 5, was 2"
    assert reason == f"the last blessed model has other layers: {layer} ({setting})"
    assert values(new) == values(model(NEW_WORDS, NEW_CLASSES, -1, hidden=5))
    fewer = new._replace(parts=new.parts[:2], variables=new.variables[:2])
    assert "hidden is not in this model" in warm_start.start(fewer, base)["warm_start"]["reason"]
    other = model(WORDS, CLASSES, -1)._replace(task="classifier")
    assert warm_start.start(other, base) == {"warm_start": {"reason": "the last blessed model is one of task tagger"}}


@pytest.mark.parametrize("damage", ["short", "index", "shapes", "empty"])
def test_damaged_weights_start_from_scratch(base: str, damage: str) -> None:
    index, content = Path(base, "index.json"), Path(base, "values.npy")
    if damage == "short":
        content.write_bytes(content.read_bytes()[:-3])
    elif damage == "empty":
        content.unlink()
    elif damage == "index":
        index.write_text(index.read_text()[:40])
    else:
        described = json.loads(index.read_text())
        described["parts"][2]["shape"] = [2, 3]
        index.write_text(json.dumps(described))
    new = model(NEW_WORDS, NEW_CLASSES, -1)
    assert "cannot be read" in warm_start.start(new, base)["warm_start"]["reason"]
    assert values(new) == values(model(NEW_WORDS, NEW_CLASSES, -1))


def test_ids_have_unique_names_with_those_of_buckets(tmp_path: Path) -> None:
    graph = tmp_path / "graph"
    graph.mkdir()
    (graph / "vocabulary.txt").write_text("<pad>\n<unk>\n<bos>\n<eos>\nword\n")
    (graph / "settings.json").write_text(json.dumps({"oov_buckets": 2, "kind": "text"}))
    job = TrainingJob([], [], str(graph))
    assert job.ids == ["<pad>", "<unk>", "<bos>", "<eos>", "word", "\nbucket 0 of 2", "\nbucket 1 of 2"]
