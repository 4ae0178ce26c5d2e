"""The SavedModel of a small trained tagger, asked in a process that knows nothing of this project."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

TAGS = ("O", "B-LOC", "I-LOC", "B-PER")
SETTINGS = {
    **{"embedding": 8, "units": 8, "epochs": 8, "patience": 8, "learning_rate": 0.03, "batch_tokens": 200},
    **{"word_dropout": 0.05, "spatial_dropout": 0, "dropout": 0},
}

ASK = """
import importlib.util, json, sys
sys.path.append(sys.argv.pop(1))
import tensorflow as tf

assert importlib.util.find_spec("trainer") is None
directory, raw, transformed, texts = sys.argv[1], *map(json.loads, sys.argv[2:5])
model = tf.saved_model.load(directory)

def ask(name, values):
    answers = model.signatures[name](tf.constant(values, tf.string))
    return {key: value.numpy() for key, value in answers.items()}

def records(paths):
    return [record.numpy() for record in tf.data.TFRecordDataset(paths, "GZIP")]

bare = []
for record in records(raw):
    example = tf.train.SequenceExample.FromString(record)
    del example.feature_lists.feature_list["tags"]
    bare.append(example.SerializeToString())
found = {
    "signatures": sorted(model.signatures),
    "serving_default": ask("serving_default", texts),
    "serve_examples": ask("serve_examples", records(raw)),
    "without_tags": ask("serve_examples", bare),
    "evaluate": ask("evaluate", records(transformed)),
    "judge": ask("judge", records(raw)),
    "none": ask("serving_default", []),
    "none_transformed": ask("evaluate", []),
    "blank": ask("serving_default", ["", " \\t\\n"]),
    "odd": ask("serving_default", ["", b"\\xff new  words\\n", "by\\tLea "]),
    "alone": ask("serving_default", ["by Lea"]),
}

def plain(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value.tolist()

print(json.dumps(found, default=plain))
"""


@pytest.fixture(scope="module")
def saved(tagged, train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SavedModel, moved away from where it was written."""
    folder = tmp_path_factory.mktemp("saved")
    shutil.move(train(tagged, folder, **SETTINGS), folder / "moved")
    return folder / "moved"


@pytest.fixture(scope="module")
def answers(tagged, saved: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the signatures answer in a new process that cannot import this project."""
    texts = [" ".join(document.tokens) for document in tagged.documents["eval"]]
    arguments = [json.dumps(values) for values in (tagged.raw["eval"], tagged.transformed["eval"], texts)]
    # Without `site` no .pth file is read, so that the project, where installed for editing, is not found.
    libraries = sysconfig.get_path("purelib")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, libraries, str(saved), *arguments],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_all_signatures_agree_to_the_bit(answers: dict) -> None:
    assert answers["signatures"] == ["evaluate", "judge", "serve_examples", "serving_default"]
    served = answers["serving_default"]
    assert served.keys() == {"tokens", "tags", "scores", "length"}
    assert answers["serve_examples"] == answers["without_tags"] == served
    evaluated, judged = answers["evaluate"], answers["judge"]
    for name in ("tags", "scores", "length"):
        assert evaluated[name] == served[name]
    assert (judged["tags"], judged["length"]) == (served["tags"], served["length"])
    probabilities = np.array(evaluated["probabilities"], np.float32)
    np.testing.assert_array_equal(probabilities.max(axis=-1), np.array(served["scores"], np.float32))


def test_every_token_has_a_tag_and_the_rest_is_blank(answers: dict, tagged) -> None:
    served = answers["serving_default"]
    width = max(len(document.tokens) for document in tagged.documents["eval"])
    rows = zip(*(served[name] for name in ("tokens", "tags", "scores", "length")), strict=True)
    for document, (tokens, tags, scores, length) in zip(tagged.documents["eval"], rows, strict=True):
        assert length == len(document.tokens)
        assert tokens == [*document.tokens, *[""] * (width - length)]
        assert set(tags[:length]) <= set(TAGS)
        assert tags[length:] == [""] * (width - length)
        assert all(1 / len(TAGS) <= score <= 1 for score in scores[:length])
        assert scores[length:] == [0] * (width - length)


def test_tags_are_right_and_are_those_of_a_model_that_learns(answers: dict, tagged) -> None:
    pairs = [
        pair
        for document, tags, length in zip(
            tagged.documents["eval"], *(answers["serving_default"][name] for name in ("tags", "length")), strict=True
        )
        for pair in zip(document.tags, tags[:length], strict=True)
    ]
    assert np.mean([given == found for given, found in pairs]) > 0.97


def test_the_judge_gives_the_loss_of_the_given_tags(answers: dict, tagged) -> None:
    judged, probabilities = answers["judge"], answers["evaluate"]["probabilities"]
    for number, document in enumerate(tagged.documents["eval"]):
        assert judged["given"][number][: len(document.tags)] == list(document.tags)
        rows = zip(probabilities[number], document.tags, strict=False)
        expected = math.fsum(-math.log(row[TAGS.index(tag)]) for row, tag in rows)
        assert judged["loss"][number] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_a_tag_that_the_model_does_not_know_has_the_least_probability(saved: Path, tagged) -> None:
    record = next(iter(tf.data.TFRecordDataset(tagged.raw["eval"], "GZIP"))).numpy()
    example = tf.train.SequenceExample.FromString(record)
    judge = tf.saved_model.load(str(saved)).signatures["judge"]
    before = judge(tf.constant([example.SerializeToString()]))["loss"].numpy()[0]
    for step in example.feature_lists.feature_list["tags"].feature:
        step.bytes_list.value[0] = b"B-NEW"
    after = judge(tf.constant([example.SerializeToString()]))
    steps = len(example.feature_lists.feature_list["tags"].feature)
    assert before / steps < 1
    assert after["loss"].numpy()[0] == pytest.approx(-steps * math.log(1e-7))
    assert set(after["given"].numpy()[0]) == {b"B-NEW"}


def test_odd_batches_are_answered(answers: dict) -> None:
    assert answers["none"] == {"tokens": [], "tags": [], "scores": [], "length": []}
    assert answers["none_transformed"]["length"] == []
    assert answers["blank"] == {"tokens": [[""]] * 2, "tags": [[""]] * 2, "scores": [[0]] * 2, "length": [0, 0]}
    odd = answers["odd"]
    assert odd["length"] == [0, 3, 2]
    assert odd["tokens"] == [[""] * 3, ["\ufffd", "new", "words"], ["by", "Lea", ""]]
    assert odd["tags"][2] == [*answers["alone"]["tags"][0], ""] == ["O", "B-PER", ""]
    np.testing.assert_allclose(odd["scores"][2][:2], answers["alone"]["scores"][0], atol=1e-6)


@pytest.mark.slow
def test_the_same_training_twice_gives_the_same_metrics_and_model(tagged, train, saved: Path, tmp_path: Path) -> None:
    again = train(tagged, tmp_path, **SETTINGS)
    first, second = (json.loads((path / "assets.extra/seqloom.json").read_text())["digest"] for path in (saved, again))
    assert first == second
    reports = [json.loads((path.parent / "logs" / "training.json").read_text()) for path in (saved, again)]
    timed = ("seconds", "tokens_per_second", "input_wait")
    timeless = [[{k: v for k, v in epoch.items() if k not in timed} for epoch in r["history"]] for r in reports]
    assert timeless[0] == timeless[1]
    assert reports[0]["best_epoch"] == reports[1]["best_epoch"]
