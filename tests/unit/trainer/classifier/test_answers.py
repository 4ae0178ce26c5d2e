"""Answers of SavedModels with known rules: labels with their probabilities."""

import json

import pytest
import tensorflow as tf

from trainer.classifier.answers import LabelAnswers
from trainer.errors import JobError


class ByLength(tf.Module):
    """Texts of more than eight bytes are positive; the table is a resource, as in real models."""

    def __init__(self):
        super().__init__()
        names = tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1], tf.int64), ["negative", "positive"])
        self.names = tf.lookup.StaticHashTable(names, "")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text):
        positive = tf.minimum(tf.cast(tf.strings.length(text), tf.float32) / 10.0, 1.0)
        probabilities = tf.stack([1.0 - positive, positive], axis=1)
        label, labels = self.names.lookup(tf.argmax(probabilities, axis=1)), [["negative", "positive"]]
        best = {"label": label, "probability": tf.reduce_max(probabilities, axis=1)}
        return {**best, "labels": tf.tile(labels, [tf.size(text), 1]), "probabilities": probabilities}


class ByLetter(tf.Module):
    """A text has the labels whose letters it has."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text):
        has = tf.stack([tf.strings.regex_full_match(text, f".*{letter}.*") for letter in "ab"], axis=1)
        names = tf.tile([[b"A\xff", b"B"]], [tf.size(text), 1])
        return {"labels": names, "predicted": has, "probabilities": tf.where(has, 0.75, 0.25)}


def ask(module, path, *texts, kind):
    tf.saved_model.save(module, str(path), {"serving_default": module.serve})
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / "seqloom.json").write_text(json.dumps({"kind": kind}))
    return LabelAnswers(str(path))(texts)


def test_probabilities_are_the_shortest_decimals(tmp_path):
    answers = ask(ByLength(), tmp_path, "xé", "long enough", kind="labelled_text")
    assert [answer.pop("probabilities") for answer in answers] == [
        {"negative": 0.7, "positive": 0.3},
        {"negative": 0.0, "positive": 1.0},
    ]
    assert answers == [
        {"text": "xé", "label": "negative", "probability": 0.7},
        {"text": "long enough", "label": "positive", "probability": 1.0},
    ]


def test_a_model_without_a_kind_is_not_guessed_at(tmp_path):
    with pytest.raises(JobError, match=r"(?s)does not name its kind of corpus.*publish it again"):
        ask(ByLetter(), tmp_path, "ab", kind="")


def test_all_predicted_labels_are_named(tmp_path):
    assert ask(ByLetter(), tmp_path, "ab", "b", "", kind="multi_labelled_text") == [
        {"text": "ab", "labels": ["A\ufffd", "B"], "probabilities": {"A\ufffd": 0.75, "B": 0.75}},
        {"text": "b", "labels": ["B"], "probabilities": {"A\ufffd": 0.25, "B": 0.75}},
        {"text": "", "labels": [], "probabilities": {"A\ufffd": 0.25, "B": 0.25}},
    ]
