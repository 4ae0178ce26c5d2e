"""Models of every encoder, saved and called in a process without this project."""

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
def answers(corpus, models, records, ask_elsewhere, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The outputs of each model's signatures."""
    folder, found = tmp_path_factory.mktemp("saved"), {}
    texts = [*(document.segments[0].encode() for document in corpus.documents["eval"]), b""]
    questions = {"served": ("serving_default", texts), "evaluated": ("evaluate", records(corpus.transformed["eval"]))}
    for name, model in models.items():
        ClassifierServable(model, str(corpus.graph / "transform_fn"), ["negative", "positive"]).save(str(folder / name))
        attention = {"explained": ("explain", texts), "none": ("explain", [])} if explained(model) else {}
        found[name] = ask_elsewhere(folder / name, **questions, **attention)
    return found


def batches(corpus) -> list[dict]:
    return list(read(corpus.transformed["eval"], batch_tokens=400, window=100))


@pytest.mark.parametrize("name", ENCODERS)
def test_probabilities_match_the_model(name: str, answers: dict, models: dict, corpus) -> None:
    expected = {}
    for batch in batches(corpus):
        probabilities = tf.nn.softmax(models[name]([batch["tokens"], batch["length"]], training=False)).numpy()
        expected |= dict(zip(batch["id"].numpy().tolist(), probabilities, strict=True))
    rows = [expected[document.id.encode()] for document in corpus.documents["eval"]]
    np.testing.assert_allclose(answers[name]["evaluated"]["probabilities"], rows, atol=1e-6)
    np.testing.assert_allclose(answers[name]["served"]["probabilities"][:-1], rows, atol=1e-6)


@pytest.mark.parametrize("name", ["attention", "hierarchical"])
def test_explanations_add_token_weights_to_the_answers(name: str, answers: dict, models, corpus) -> None:
    shown = answers[name]["explained"]
    assert {key: shown.pop(key) for key in answers[name]["served"]} == answers[name]["served"]
    assert shown.keys() == {"tokens", "weights", "length"}
    vocabulary = (corpus.graph / "vocabulary.txt").read_text().splitlines()
    expected = {}
    for batch in batches(corpus):
        _, weights = explained(models[name])([batch["tokens"], batch["length"]], training=False)
        lengths = batch["length"].numpy()
        for row, identity in enumerate(batch["id"].numpy().tolist()):
            ids = batch["tokens"].numpy()[row, : lengths[row]]
            expected[identity] = [vocabulary[number] for number in ids], weights.numpy()[row, : lengths[row]]
    for row, document in enumerate(corpus.documents["eval"]):
        length, (tokens, weights) = shown["length"][row], expected[document.id.encode()]
        if tokens == ["<pad>"]:
            assert length == 0
            continue
        assert shown["tokens"][row][:length] == tokens
        np.testing.assert_allclose(shown["weights"][row][:length], weights, atol=1e-6)
        assert sum(shown["weights"][row]) == pytest.approx(1, abs=1e-5)
        assert set(shown["tokens"][row][length:]) <= {""}
    # The last text is empty.
    assert shown["length"][-1] == 0
    assert set(shown["tokens"][-1]) == {""}
    assert set(shown["weights"][-1]) == {0}
    none = answers[name]["none"]
    assert none["tokens"] == none["weights"] == none["length"] == none["label"] == []
    assert {name for name in ENCODERS if "explain" in answers[name]["signatures"]} == {"attention", "hierarchical"}
