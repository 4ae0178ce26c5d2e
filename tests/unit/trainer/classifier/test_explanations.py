"""Explanations against answers to hand-made variants of the texts, and against the attention of a real model."""

import json

import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.answers import MAX_WORDS, ExplainedAnswers
from trainer.classifier.servable import ClassifierServable
from trainer.classifier.settings import ClassifierSettings
from trainer.text.word_runs import MAX_RUNS

SCORES = {"good": 1.5, "great": 2.0, "bad": -1.0, "awful": -2.5, "好": 1.0, "不": -2.0}
TEXT = tf.TensorSpec([None], tf.string, name="text")
LABELLED, MULTI = "labelled_text", "multi_labelled_text"


class ByWord(tf.Module):
    """Adds up the scores of known words, and of known characters of other scripts."""

    def __init__(self):
        super().__init__()
        known = tf.lookup.KeyValueTensorInitializer(list(SCORES), tf.constant(list(SCORES.values()), tf.float32))
        self.known = tf.lookup.StaticHashTable(known, 0.0)

    def score(self, text):
        words = tf.strings.split(tf.strings.regex_replace(text, r"(\p{Han})", r" \1 "))
        return tf.reduce_sum(self.known.lookup(words.to_tensor("")), axis=1)

    @tf.function(input_signature=[TEXT])
    def serve(self, text):
        positive = tf.sigmoid(self.score(text))
        probabilities = tf.stack([1 - positive, positive], axis=1)
        labels = tf.tile([["negative", "positive"]], [tf.size(text), 1])
        best = tf.argmax(probabilities, axis=1)
        label = {
            "label": tf.gather(["negative", "positive"], best),
            "probability": tf.reduce_max(probabilities, axis=1),
        }
        return {**label, "labels": labels, "probabilities": probabilities}


class Labels(ByWord):
    """Each of three labels has its own threshold and share of the score."""

    @tf.function(input_signature=[TEXT])
    def serve(self, text):
        score = self.score(text)
        probabilities = tf.sigmoid(tf.stack([score, score - 1, -score - 4], axis=1))
        labels = tf.tile([["praise", "joy", "anger"]], [tf.size(text), 1])
        return {"labels": labels, "probabilities": probabilities, "predicted": probabilities >= [0.5, 0.6, 0.7]}


def saved(module, path, kind):
    tf.saved_model.save(module, str(path), {"serving_default": module.serve})
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / "seqloom.json").write_text(json.dumps({"kind": kind}))
    return path


@pytest.fixture(scope="module")
def by_word(tmp_path_factory):
    return saved(ByWord(), tmp_path_factory.mktemp("by-word") / "saved", LABELLED)


@pytest.fixture(scope="module")
def by_label(tmp_path_factory):
    return saved(Labels(), tmp_path_factory.mktemp("by-label") / "saved", MULTI)


@pytest.fixture(scope="module")
def probabilities():
    """Asks `serving_default` of a model for the probabilities of one text."""
    loaded = {}

    def ask(path, text):
        model = loaded.setdefault(path, tf.saved_model.load(str(path)))
        found = model.signatures["serving_default"](text=tf.constant([text]))
        names = [name.decode() for name in found["labels"].numpy()[0]]
        return dict(zip(names, found["probabilities"].numpy()[0].astype(float), strict=True))

    return ask


def explain(path, *texts):
    return [answer["explanation"] for answer in ExplainedAnswers(str(path))(texts)]


def by_hand(ask, path, words, label, joint=" "):
    """The effect of each word that has one, by its position, from single questions."""
    whole = ask(path, joint.join(words))[label]
    effects = {n: whole - ask(path, joint.join(words[:n] + words[n + 1 :]))[label] for n in range(len(words))}
    return {n: effect for n, effect in effects.items() if abs(effect) > 1e-6}


def effects(words):
    return {word["position"]: word["effect"] for word in words}


def is_sorted(words):
    sizes = [abs(word["effect"]) for word in words]
    return sizes == sorted(sizes, reverse=True)


TEXTS = ["a good film , great but bad", "bad", "great", "unknown words", "awful awful good ending", "good " * 40]


def test_effects_are_the_drops_of_the_probability(by_word, probabilities):
    for text, found in zip(TEXTS, explain(by_word, *TEXTS), strict=True):
        assert found.keys() == {"method", "words"}
        assert found["method"] == "occlusion"
        words, each = text.split(), probabilities(by_word, text)
        expected = by_hand(probabilities, by_word, words, max(each, key=each.get))
        strongest = sorted(expected, key=lambda position: -round(abs(expected[position]), 6))[:MAX_WORDS]
        assert [word["position"] for word in found["words"]] == strongest
        assert effects(found["words"]) == pytest.approx({n: expected[n] for n in strongest}, abs=1e-6)
        assert [word["word"] for word in found["words"]] == [words[position] for position in strongest]
        assert is_sorted(found["words"])


def test_the_answers_are_those_without_explanation(by_word, by_label):
    for path in (by_word, by_label):
        answers = ExplainedAnswers(str(path))
        plain = super(ExplainedAnswers, answers).__call__(TEXTS)
        assert [{k: v for k, v in one.items() if k != "explanation"} for one in answers(TEXTS)] == plain


def test_a_word_against_the_answer_has_a_negative_effect(by_word):
    ((first, second),) = [found["words"] for found in explain(by_word, "great, great bad")]
    assert (first["word"], second["word"]) == ("great", "bad")
    assert first["effect"] > 0 > second["effect"]
    assert first["effect"] == pytest.approx(1 / (1 + np.exp(-1)) - 1 / (1 + np.exp(1)), abs=1e-6)
    assert second["effect"] == pytest.approx(1 / (1 + np.exp(-1)) - 1 / (1 + np.exp(-2)), abs=1e-6)


@pytest.mark.parametrize("text", ["", " \n\t", "nothing known"])
def test_a_text_without_words_that_move_the_answer(by_word, by_label, text):
    for path in (by_word, by_label):
        assert explain(path, text) == [{"method": "occlusion", "words": []}]


def test_each_predicted_label_is_explained(by_label, probabilities):
    text = "great bad good"
    answer = ExplainedAnswers(str(by_label))([text])[0]
    assert answer["labels"] == ["praise", "joy"]
    words = answer["explanation"]["words"]
    assert is_sorted(words)
    assert {word["label"] for word in words} == {"praise", "joy"}
    for label in answer["labels"]:
        found = effects(word for word in words if word["label"] == label)
        expected = by_hand(probabilities, by_label, text.split(), label)
        assert found == pytest.approx(expected, abs=1e-6)


def test_the_most_probable_label_is_explained_if_none_is_predicted(by_label, probabilities):
    (found,) = explain(by_label, "bad film")
    expected = by_hand(probabilities, by_label, ["bad", "film"], "praise")
    assert [(word["label"], word["word"]) for word in found["words"]] == [("praise", "bad")]
    assert effects(found["words"]) == pytest.approx(expected, abs=1e-6)


def test_each_label_has_its_own_strongest_words(by_label):
    (found,) = explain(by_label, "good bad " * MAX_WORDS)
    assert [word["label"] for word in found["words"]].count("praise") == MAX_WORDS


def test_characters_are_words_where_a_script_has_no_spaces(by_word, probabilities):
    text = "好好不好看"
    (found,) = explain(by_word, text)
    assert effects(found["words"]) == pytest.approx(
        by_hand(probabilities, by_word, list(text), "positive", ""), abs=1e-6
    )
    assert {text[word["position"]] == word["word"] for word in found["words"]} == {True}


def test_a_long_text_is_cut_into_runs(by_word, probabilities):
    words = ["filler"] * (2 * MAX_RUNS + 1)
    words[3], words[4], words[5], words[-1] = "good", "great", "bad", "awful"
    (found,) = explain(by_word, "  ".join(words))
    last = 3 * ((len(words) - 1) // 3)
    assert {word["position"]: word["word"] for word in found["words"]} == {
        3: "good  great  bad",
        last: "  ".join(words[last:]),
    }
    # All four together leave the answer undecided: it is the first class.
    whole = probabilities(by_word, " ".join(words))["negative"]
    for word in found["words"]:
        rest = words[: word["position"]] + words[word["position"] + 3 :]
        assert word["effect"] == pytest.approx(whole - probabilities(by_word, " ".join(rest))["negative"], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["rnn+attention", "rnn"])
def test_a_real_model_shows_its_attention_if_it_has_one(corpus, tmp_path, encoder):
    sizes = {"embedding": 8, "units": 4, "bigrams": {"buckets": 50, "width": 2}}
    attention = {"attention_units": 4} if encoder == "rnn+attention" else {}
    settings = ClassifierSettings.model_validate({"encoder": encoder, **sizes, **attention})
    keras_model = classifier.build(settings, len((corpus.graph / "vocabulary.txt").read_text().splitlines()), 2)
    random = np.random.default_rng(0)
    for variable in keras_model.trainable_variables:
        variable.assign(random.normal(scale=0.5, size=variable.shape))
    path = tmp_path / "saved"
    ClassifierServable(keras_model, str(corpus.graph / "transform_fn"), ["negative", "positive"]).save(str(path))
    texts = ["w1 w2 never-seen dull", " ".join(f"w{number}" for number in range(15)), ""]
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / "seqloom.json").write_text(json.dumps({"kind": LABELLED}))
    found = explain(path, *texts)
    signatures = tf.saved_model.load(str(path)).signatures
    assert {one["method"] for one in found} == {"attention" if attention else "occlusion"}
    assert found[2]["words"] == []
    for text, one in zip(texts[:2], found, strict=False):
        if attention:
            shown = {name: value.numpy()[0] for name, value in signatures["explain"](text=tf.constant([text])).items()}
            expected = dict(enumerate(shown["weights"][: shown["length"]].astype(float)))
            assert [word["word"].encode() for word in one["words"]] == [
                shown["tokens"][n] for n in effects(one["words"])
            ]
        else:
            words = text.split()
            cut = [text, *(" ".join(words[:n] + words[n + 1 :]) for n in range(len(words)))]
            rows = [signatures["serving_default"](text=tf.constant([each]))["probabilities"].numpy()[0] for each in cut]
            drops = rows[0] - np.array(rows[1:])
            expected = dict(enumerate(drops[:, rows[0].argmax()].astype(float)))
        strongest = sorted(expected, key=lambda n: -abs(expected[n]))[:MAX_WORDS]
        assert effects(one["words"]) == pytest.approx({n: expected[n] for n in strongest}, abs=2e-6)
        assert is_sorted(one["words"])
