"""Predictions of a real SavedModel whose rule the test knows: the longer a text, the more positive."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from typer.testing import CliRunner

from pipeline import cli, history, predict
from trainer.errors import JobError

ROOT = Path(__file__).parents[3]


class ByLength(tf.Module):
    """Texts of more than eight bytes are positive; a table makes it hold a resource, as real models do."""

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


class Other(tf.Module):
    """A model that does something else."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def serve(self, x):
        return {"y": x}


def save(module, path):
    tf.saved_model.save(module, str(path), {"serving_default": module.serve})
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return save(ByLength(), tmp_path_factory.mktemp("model") / "saved")


@pytest.fixture
def root(tmp_path, model):
    serving = tmp_path / "serving"
    for version in ("9", "10", "tmp"):
        serving.mkdir(exist_ok=True)
        (serving / version).symlink_to(model)
    (serving / "11").mkdir()  # not complete
    return tmp_path


def expected(text):
    positive = min(len(text.encode()) / 16, 1.0)  # exact in float32
    both = {"negative": 1 - positive, "positive": positive}
    label = "positive" if positive > 0.5 else "negative"
    return {"text": text, "label": label, "probability": both[label], "probabilities": both}


def answers(output):
    return [json.loads(line) for line in output.splitlines()]


def test_answers_come_in_the_order_of_the_texts_over_many_batches(model):
    texts = ["x" * (number % 23) for number in range(2 * predict.BATCH + 17)]
    assert list(predict.predict(model, iter(texts))) == [expected(text) for text in texts]


def test_a_probability_is_the_shortest_decimal_of_its_float32():
    assert predict._short(tf.constant(0.98).numpy()) == 0.98
    assert predict._short(tf.constant(1.0).numpy()) == 1.0


def test_no_texts_give_no_answers_and_load_nothing(tmp_path):
    assert list(predict.predict(tmp_path / "none", [])) == []


def test_the_newest_published_version_of_a_root_is_taken(root, model):
    assert predict.find_model(root) == root / "serving" / "10"
    assert predict.find_model(model) == model


def test_a_root_without_a_model_says_why(tmp_path):
    with pytest.raises(JobError, match="no such model or root"):
        predict.find_model(tmp_path / "none")
    with pytest.raises(JobError, match="seqloom run") as caught:
        predict.find_model(tmp_path)
    assert caught.value.where == str(tmp_path / "serving")
    verdict = history.Verdict(blessed=False, reasons=("accuracy 0.7 is below 0.85",))
    history.write(tmp_path, history.new_run(tmp_path, "a").updated(state="not_blessed", verdict=verdict))
    with pytest.raises(JobError, match=r"ended as not blessed: accuracy 0\.7 is below 0\.85"):
        predict.find_model(tmp_path)


def test_other_models_are_refused(tmp_path):
    with pytest.raises(JobError, match=r"from \['x'\] to \['y'\]"):
        predict.Model(save(Other(), tmp_path / "other"))
    tf.saved_model.save(Other(), str(tmp_path / "bare"), {})
    with pytest.raises(JobError, match="does not take texts"):
        predict.Model(tmp_path / "bare")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(JobError, match="cannot be loaded"):
        predict.Model(tmp_path / "bad")


def test_lines_are_texts_as_they_stand():
    stream = io.BytesIO("\ufeffone\r\n\n  two é \nlast".encode())
    assert list(predict.read_lines(stream, "stdin")) == ["one", "", "  two é ", "last"]


def test_json_lines_hold_strings_or_objects():
    stream = io.BytesIO(b'{"text": "a\\nb", "id": 1}\n\n"c"\n"\\ud83d\\ude00"\n{"text": ""}')
    assert list(predict.read_json_lines(stream, "f")) == ["a\nb", "c", "😀", ""]


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"{", ["not JSON", "line 1 column 2"]),
        (b"plain words", ["not JSON", '{"text": "..."}']),
        (b"3", ["holds no text", "found: 3"]),
        (b'{"text": null}', ["holds no text", "null"]),
        (b'["a"]', ["holds no text"]),
        (b'{"Text": "a"}', ['no key "text"', "found: the keys Text", 'rename "Text"']),
        (b"{}", ['no key "text"', "no keys"]),
        (b'"\xff"', ["not UTF-8", "0xff at column 2"]),
        (b'"\\ud800"', ["not valid Unicode", r"\ud800"]),
        (b"[" * 100_000, ["not JSON"]),
    ],
)
def test_a_broken_line_is_named(line, parts):
    with pytest.raises(JobError) as caught:
        list(predict.read_json_lines(io.BytesIO(b'"good"\n' + line), "in.jsonl"))
    assert caught.value.where == "in.jsonl:2"
    for part in parts:
        assert part in str(caught.value)


def test_a_line_of_the_standard_input_that_is_not_utf8_is_named():
    with pytest.raises(JobError, match="not UTF-8") as caught:
        list(predict.read_lines(io.BytesIO(b"a\n\xe9\n"), "stdin"))
    assert caught.value.where == "stdin:2"


def test_the_command_answers_texts(root):
    result = CliRunner().invoke(cli.app, ["predict", str(root), "short", "long enough, é"])
    assert result.exit_code == 0
    assert answers(result.stdout) == [expected("short"), expected("long enough, é")]
    assert "é" in result.stdout


def test_the_command_reads_the_standard_input(model):
    result = CliRunner().invoke(cli.app, ["predict", str(model)], input="short\n\nlong enough\n")
    assert answers(result.stdout) == [expected("short"), expected(""), expected("long enough")]


def test_the_command_answers_what_comes_before_a_broken_line(model, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('"short"\n{"text": "long enough"}\n{"txt": 1}\n"more"\n')
    result = CliRunner().invoke(cli.app, ["predict", str(model), "--input", str(path)])
    assert result.exit_code == 2
    assert answers(result.stdout) == [expected("short"), expected("long enough")]
    assert f"where: {path}:3" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["{root}", "text", "--input", "x.jsonl"], "Texts are given twice"),
        (["{root}", "--input", "{root}/none.jsonl"], "The input cannot be read"),
        (["{root}/none", "text"], "There is no such model or root"),
    ],
)
def test_wrong_usage_of_the_command(root, arguments, part):
    result = CliRunner().invoke(cli.app, ["predict", *(argument.format(root=root) for argument in arguments)])
    assert result.exit_code == 2
    assert part in result.stderr
    assert result.stdout == ""


def test_a_real_process_says_nothing_but_answers(model):
    command = [sys.executable, "-m", "pipeline.cli", "predict", str(model), "short", b"\xff"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert answers(done.stdout.decode()) == [expected("short")]
    assert done.stderr.decode().splitlines()[:2] == ["A text is not valid Unicode.", "  where: TEXT 2"]
    assert done.returncode == 2
