"""`seqloom predict` on a real SavedModel with a known rule: the longer a text, the more positive."""

import json

import pytest
import tensorflow as tf
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.cli.querying import inputs
from pipeline.cli.querying.inputs import Query
from pipeline.cli.querying.predict import answers as predict


class ByLength(tf.Module):
    """Texts of more than eight bytes are positive; a table gives it a resource, as real models have."""

    def __init__(self):
        super().__init__()
        names = tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1], tf.int64), ["negative", "positive"])
        self.names = tf.lookup.StaticHashTable(names, "")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text):
        positive = tf.minimum(tf.cast(tf.strings.length(text), tf.float32) / 16.0, 1.0)
        probabilities = tf.stack([1.0 - positive, positive], axis=1)
        return {
            "label": self.names.lookup(tf.argmax(probabilities, axis=1)),
            "probability": tf.reduce_max(probabilities, axis=1),
            "labels": tf.tile([["negative", "positive"]], [tf.size(text), 1]),
            "probabilities": probabilities,
        }


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    module, path = ByLength(), tmp_path_factory.mktemp("model") / "saved"
    tf.saved_model.save(module, str(path), {"serving_default": module.serve})
    about = path / "assets.extra" / "seqloom.json"
    about.parent.mkdir()
    about.write_text(json.dumps({"task": "classifier", "kind": "labelled_text"}))
    return path


def expected(*texts):
    found = []
    for text in texts:
        positive = min(len(text.encode()) / 16, 1.0)  # exact in float32
        both = {"negative": 1 - positive, "positive": positive}
        label = "positive" if positive > 0.5 else "negative"
        found.append({"text": text, "label": label, "probability": both[label], "probabilities": both})
    return found


def invoke(*arguments, **values):
    return CliRunner().invoke(app.app, ["predict", *map(str, arguments)], **values)


def answers(output):
    return [json.loads(line) for line in output.splitlines()]


def test_answers_come_in_the_order_of_the_texts_over_many_batches(model, tmp_path):
    texts = ["x" * (number % 23) for number in range(2 * inputs.BATCH + 17)]
    assert list(predict(model, map(Query, texts))) == expected(*texts)
    assert list(predict(tmp_path / "none", [])) == []  # loads nothing


def test_texts_come_from_arguments_or_standard_input(root):
    result = invoke(root, "short", "long enough, é")
    assert (result.exit_code, "é" in result.stdout) == (0, True)
    assert answers(result.stdout) == expected("short", "long enough, é")
    result = invoke(root, input="short\n\nlong enough\n")
    assert answers(result.stdout) == expected("short", "", "long enough")


def test_an_invalid_line_is_reported_and_the_others_are_answered(model, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'"short"\n{"text": "long enough"}\n{"txt": 1}\n"more"\n\n\xff\n{"text": "", "id": [1]}\n')
    result = invoke(model, "--input", path)
    assert result.exit_code == 1
    *found, last = answers(result.stdout)
    assert found == expected("short", "long enough", "more")
    assert last == {"id": [1], **expected("")[0]}
    parts = [f"where: {path}:3", 'no key "text"', f"where: {path}:6", "not UTF-8", "2 records cannot be read."]
    assert [part for part in parts if part not in result.stderr] == []
    result = invoke(model, input=b"short\n\xff\nmore\n")
    assert (result.exit_code, answers(result.stdout)) == (1, expected("short", "more"))
    assert "where: stdin:2" in result.stderr
    assert "1 record cannot be read." in result.stderr


def drops(text):
    """The effect of each word on the label of a text, from the lengths of the text and of its rest."""
    words, (whole,) = text.split(), expected(text)
    rests = [expected(" ".join(words[:n] + words[n + 1 :]))[0]["probabilities"] for n in range(len(words))]
    found = [whole["probability"] - rest[whole["label"]] for rest in rests]
    words = [{"word": words[n], "position": n, "effect": effect} for n, effect in enumerate(found) if effect]
    return sorted(words, key=lambda word: -abs(word["effect"]))


def test_answers_are_explained_over_many_batches(model):
    texts = [" ".join("x" * (n % 5 + 1) for n in range(number % 4)) for number in range(inputs.BATCH + 7)]
    found = list(predict(model, map(Query, texts), explain=True))
    explanations = [{"method": "occlusion", "words": drops(text)} for text in texts]
    assert [answer.pop("explanation") for answer in found] == explanations
    assert found == expected(*texts)


def test_the_words_of_arguments_and_of_records_are_explained_harmlessly(root, tmp_path):
    result = invoke(root, "--explain", "a long \x1b[2J", "")
    assert (result.exit_code, "\x1b" in result.stdout, "\\u001b[2J" in result.stdout) == (0, False, True)
    first, second = answers(result.stdout)
    assert [first["explanation"]["words"], second["explanation"]["words"]] == [drops("a long \x1b[2J"), []]
    (tmp_path / "in.csv").write_text("key,body\n7,a longer text\n8,b\n")
    (tmp_path / "job.yaml").write_text(
        "name: a\ntask: classifier\ncorpus: {format: csv, path: x, text: body, label: topic, id: key}\n"
    )
    result = invoke(root, "--input", tmp_path / "in.csv", "--config", tmp_path / "job.yaml", "--explain")
    assert result.exit_code == 0, result.stderr
    assert [(one["id"], one["explanation"]["words"]) for one in answers(result.stdout)] == [
        ("7", drops("a longer text")),
        ("8", drops("b")),
    ]


def test_a_model_of_a_task_without_explanations_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "seqloom.json").write_text('{"task": "tagger"}')
    result = invoke(tmp_path, "--explain", "text")
    assert (result.exit_code, result.stdout) == (2, "")
    parts = ["does not support `seqloom predict --explain`", "a tagger model", "expected: a model of task classifier"]
    assert [part for part in parts if part not in result.stderr] == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["{root}", "text", "--input", "x.jsonl"], "TEXT and --input cannot be combined"),
        (["{root}", "--input", "{root}/none.jsonl"], "The input cannot be read"),
        (["{root}", "--input", "{root}/none.csv"], "The input cannot be read"),
        (["{root}", "text", "--config", "job.yaml"], "--config needs --input"),
        (["{root}", "--input", "x.csv", "--set", "corpus.text=a"], "--set needs --config"),
        (["{root}", "--input", "{root}/serving/10/saved_model.pb", "--config", "{root}/no.yaml"], "does not exist"),
        (["{root}/none", "text"], "The model or root does not exist"),
    ],
)
def test_wrong_usage(root, arguments, part):
    result = invoke(*(argument.format(root=root) for argument in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert part in result.stderr
