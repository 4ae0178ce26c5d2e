"""Models of every encoder, saved and asked in a process that knows nothing of this project."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.attention import explained
from trainer.classifier.servable import ClassifierServable
from trainer.classifier.settings import ClassifierSettings
from trainer.data.reading import read

pytestmark = pytest.mark.slow

ENCODERS = {
    "rnn": {"encoder": "rnn", "cell": "rnn", "layers": 3, "residual": True, "layer_norm": True, "merge": "sum"},
    "cnn": {"encoder": "cnn", "filters": 4},
    "average": {"encoder": "average"},
    "attention": {"encoder": "rnn+attention", "cell": "lstm"},
    "hierarchical": {"encoder": "hierarchical"},
}
ASK = """
import importlib.util, json, sys
sys.path.append(sys.argv.pop(1))
import tensorflow as tf

assert importlib.util.find_spec("trainer") is None
directories, transformed, texts = map(json.loads, sys.argv[1:4])
records = [record.numpy() for record in tf.data.TFRecordDataset(transformed, "GZIP")]

def ask(model, name, values):
    answers = model.signatures[name](tf.constant(values, tf.string))
    return {key: value.numpy().tolist() for key, value in answers.items()}

found = {}
for name, directory in directories.items():
    model = tf.saved_model.load(directory)
    found[name] = {"served": ask(model, "serving_default", texts), "evaluated": ask(model, "evaluate", records)}
    if "explain" in model.signatures:
        found[name] |= {"explained": ask(model, "explain", texts), "none": ask(model, "explain", [])}
print(json.dumps(found, default=bytes.decode))
"""


@pytest.fixture(scope="module")
def models(corpus) -> dict[str, keras.Model]:
    """A model of each encoder with weights that are far from zero."""
    size = len((corpus.graph / "vocabulary.txt").read_text().splitlines())
    sizes = {"embedding": 8, "units": 4, "attention_units": 4, "bigrams": {"buckets": 50, "width": 2}}
    models = {}
    for name, values in ENCODERS.items():
        models[name] = classifier.build(ClassifierSettings.model_validate({**sizes, **values}), size, 2)
        random = np.random.default_rng(0)
        for variable in models[name].trainable_variables:
            variable.assign(random.normal(scale=0.5, size=variable.shape))
    return models


@pytest.fixture(scope="module")
def answers(corpus, models, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the signatures of each model answer."""
    folder = tmp_path_factory.mktemp("saved")
    for name, model in models.items():
        ClassifierServable(model, str(corpus.graph / "transform_fn"), ["negative", "positive"]).save(str(folder / name))
    texts = [*(document.segments[0] for document in corpus.documents["eval"]), ""]
    arguments = [{name: str(folder / name) for name in models}, corpus.transformed["eval"], texts]
    # Without `site` no .pth file is read, so that the project, where installed for editing, is not found.
    libraries = sysconfig.get_path("purelib")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, libraries, *map(json.dumps, arguments)],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def batches(corpus) -> list[dict]:
    return list(read(corpus.transformed["eval"], batch_tokens=400, window=100))


@pytest.mark.parametrize("name", ENCODERS)
def test_probabilities_are_those_of_the_model(name: str, answers: dict, models: dict, corpus) -> None:
    expected = {}
    for batch in batches(corpus):
        probabilities = tf.nn.softmax(models[name]([batch["tokens"], batch["length"]], training=False)).numpy()
        expected |= dict(zip(batch["id"].numpy().tolist(), probabilities, strict=True))
    rows = [expected[document.id.encode()] for document in corpus.documents["eval"]]
    np.testing.assert_allclose(answers[name]["evaluated"]["probabilities"], rows, atol=1e-6)
    np.testing.assert_allclose(answers[name]["served"]["probabilities"][:-1], rows, atol=1e-6)


@pytest.mark.parametrize("name", ["attention", "hierarchical"])
def test_explanations_are_the_answers_with_the_weights_of_tokens(name: str, answers: dict, models, corpus) -> None:
    told = answers[name]["explained"]
    assert {key: told.pop(key) for key in answers[name]["served"]} == answers[name]["served"]
    assert told.keys() == {"tokens", "weights", "length"}
    vocabulary = (corpus.graph / "vocabulary.txt").read_text().splitlines()
    expected = {}
    for batch in batches(corpus):
        _, weights = explained(models[name])([batch["tokens"], batch["length"]], training=False)
        lengths = batch["length"].numpy()
        for row, identity in enumerate(batch["id"].numpy().tolist()):
            ids = batch["tokens"].numpy()[row, : lengths[row]]
            expected[identity] = [vocabulary[number] for number in ids], weights.numpy()[row, : lengths[row]]
    for row, document in enumerate(corpus.documents["eval"]):
        length, (tokens, weights) = told["length"][row], expected[document.id.encode()]
        if tokens == ["<pad>"]:
            assert length == 0
            continue
        assert told["tokens"][row][:length] == tokens
        np.testing.assert_allclose(told["weights"][row][:length], weights, atol=1e-6)
        assert sum(told["weights"][row]) == pytest.approx(1, abs=1e-5)
        assert set(told["tokens"][row][length:]) <= {""}


@pytest.mark.parametrize("name", ["attention", "hierarchical"])
def test_what_has_no_token_is_explained_by_none(name: str, answers: dict) -> None:
    told, none = answers[name]["explained"], answers[name]["none"]
    assert told["length"][-1] == 0
    assert set(told["tokens"][-1]) == {""}
    assert set(told["weights"][-1]) == {0}
    assert none["tokens"] == none["weights"] == none["length"] == none["label"] == []


def test_models_without_attention_explain_nothing(answers: dict) -> None:
    assert {name for name in ENCODERS if "explained" in answers[name]} == {"attention", "hierarchical"}
