"""Metrics of taggers against seqeval and counts by hand, and inside TensorFlow Model Analysis."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import seqeval.metrics
import tensorflow as tf
import tensorflow_model_analysis as tfma
from components.evaluator.tagging_metrics import (
    Counts,
    span_f1,
    span_precision,
    span_recall,
    token_accuracy,
    token_loss,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tfx_bsl.tfxio import tf_sequence_example_record

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.evaluator import metrics
from trainer.data import kinds
from trainer.data.features import parse_raw

TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y", "E-X", "S-Y", "B-a-b", "I-a-b", "B", "I"]
PAIRS = st.lists(
    st.lists(st.tuples(st.sampled_from(TAGS[:5]) | st.sampled_from(TAGS), st.sampled_from(TAGS))), min_size=1
)
Sentences = list[list[tuple[str, str]]]


def count(sentences: Sentences, losses: list[float] | None = None) -> Counts:
    counts = Counts()
    for pairs, loss in zip(sentences, losses or [0.0] * len(sentences), strict=True):
        counts.add([wanted for wanted, _ in pairs], [found for _, found in pairs], loss)
    return counts


@given(PAIRS)
@settings(max_examples=50)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_spans_of_any_tags_are_judged_as_by_seqeval(sentences: Sentences) -> None:
    counts = count(sentences)
    wanted, found = ([[pair[side] for pair in pairs] for pairs in sentences] for side in (0, 1))
    assert span_f1(counts) == pytest.approx(seqeval.metrics.f1_score(wanted, found))
    assert span_precision(counts) == pytest.approx(seqeval.metrics.precision_score(wanted, found))
    assert span_recall(counts) == pytest.approx(seqeval.metrics.recall_score(wanted, found))
    if counts.tokens:
        assert token_accuracy(counts) == pytest.approx(seqeval.metrics.accuracy_score(wanted, found))


def test_figures_by_hand() -> None:
    # Of the spans X 0-1, Y 3-3 and X 0-0 the model finds the last two, and two others.
    first = [("B-X", "B-X"), ("I-X", "O"), ("O", "O"), ("B-Y", "B-Y")]
    second = [("B-X", "I-X"), ("O", "B-Y")]
    counts = count([first, second, []], [0.5, 1.0, 0.0])
    assert counts == Counts(counts.loss, 6, 3, 3, 4, 2, 0)
    assert token_accuracy(counts) == 3 / 6
    assert token_loss(counts) == 0.25
    assert (span_precision(counts), span_recall(counts), span_f1(counts)) == (2 / 4, 2 / 3, 4 / 7)


def test_without_spans_they_are_0_and_without_tokens_there_is_no_accuracy() -> None:
    assert [figure(count([[("O", "O")]])) for figure in (span_precision, span_recall, span_f1)] == [0, 0, 0]
    assert [math.isnan(figure(count([[]]))) for figure in (token_accuracy, token_loss)] == [True, True]


@pytest.mark.parametrize("pair", [("NN", "NN"), ("O", "NN"), ("B-", "O")])
def test_tags_that_mark_no_spans_have_an_accuracy_alone(pair: tuple[str, str]) -> None:
    counts = count([[("B-X", "B-X")], [pair, ("O", "O")]])
    assert counts.others == sum(tag not in ("O", "B-X") for tag in pair)
    assert all(math.isnan(figure(counts)) for figure in (span_precision, span_recall, span_f1))
    assert token_accuracy(counts) == (3 if pair[0] == pair[1] else 2) / 3


@given(st.lists(st.floats(0, 1e3, width=32), min_size=1), st.randoms())
def test_the_loss_does_not_depend_on_the_order(losses: list[float], order: random.Random) -> None:
    mixed = order.sample(losses, len(losses))
    one, other = (token_loss(count([[("O", "O")]] * len(listed), listed)) for listed in (losses, mixed))
    assert one == other == pytest.approx(math.fsum(losses) / len(losses))


def test_a_loss_that_is_no_number_stays_so() -> None:
    assert math.isnan(token_loss(count([[("O", "O")]] * 3, [1.0, math.nan, 2.0])))
    assert token_loss(count([[("O", "O")]] * 2, [math.inf, 1.0])) == math.inf


class Judge(tf.Module):
    """A model that says the tag of the token before, and that loses its length in nats."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def judge(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        given_tags = parse_raw(examples, kinds.TAGGED_TEXT)["tags"].merge_dims(1, 2)
        length = given_tags.row_lengths()
        shape = tf.stack([tf.constant(-1, tf.int64), tf.maximum(tf.reduce_max(length), 1)])
        padded = given_tags.to_tensor("", shape=shape)
        said = tf.concat([tf.fill([tf.shape(padded)[0], 1], "O"), padded[:, :-1]], axis=1)
        return {"given": padded, "tags": said, "length": length, "loss": tf.cast(length, tf.float32) / 7}


def documents() -> list[Document]:
    draw = random.Random(1)
    found = []
    for number in range(60):
        tags = tuple(draw.choices(["O", "B-X", "I-X", "B-Y"], k=draw.randrange(1, 12)))
        if number % 20 == 19:
            tags = ("NN", *tags)
        source = "pos" if number % 20 == 19 else draw.choice(["web", "news"])
        found.append(
            Document((), None, source, str(number), number + 1, None, tuple("abcdefghijkl"[: len(tags)]), tags)
        )
    return found


def metric(class_name: str) -> tfma.MetricConfig:
    return tfma.MetricConfig(class_name=class_name, module=metrics.__name__, config=json.dumps({"code": "1"}))


def evaluate(folder: Path, shards: int) -> dict[Any, dict[str, float]]:
    """Runs TensorFlow Model Analysis over the sentences in this many files."""
    judge = Judge()
    tf.saved_model.save(judge, str(folder / "model"), {"judge": judge.judge})
    (folder / "data").mkdir()
    for shard in range(shards):
        with tf.io.TFRecordWriter(str(folder / "data" / f"{shard}.gz"), "GZIP") as writer:
            for document in documents()[shard::shards]:
                writer.write(encode(document))
    names = ("TokenAccuracy", "TokenLoss", "SpanF1", "SpanPrecision", "SpanRecall")
    config = tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(signature_name="judge")],
        slicing_specs=[tfma.SlicingSpec(feature_keys=keys) for keys in ([], ["source"])],
        metrics_specs=[tfma.MetricsSpec(metrics=[metric(name) for name in names])],
    )
    model = tfma.default_eval_shared_model(str(folder / "model"), eval_config=config)
    source = tf_sequence_example_record.TFSequenceExampleRecord(
        str(folder / "data" / "*"), raw_record_column_name=tfma.ARROW_INPUT_COLUMN, telemetry_descriptors=["test"]
    )
    with beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner") as pipeline:
        _ = (
            pipeline
            | source.BeamSource()
            | tfma.ExtractEvaluateAndWriteResults(
                eval_config=config, eval_shared_model=model, output_path=str(folder / "out")
            )
        )
    result = tfma.load_eval_result(str(folder / "out"))
    return {
        key: {name: float(value["doubleValue"]) for name, value in sorted(found[""][""].items())}
        for key, found in result.slicing_metrics
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, dict[str, float]]:
    """What it finds in seven files."""
    return evaluate(tmp_path_factory.mktemp("many"), 7)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_model_analysis_finds_the_same_on_every_slice(found: dict[Any, dict[str, float]]) -> None:
    by_slice: dict[Any, list[Document]] = {}
    for document in documents():
        for key in ((), (("source", document.source),)):
            by_slice.setdefault(key, []).append(document)
    assert found.keys() == by_slice.keys()
    for key, members in by_slice.items():
        pairs = [list(zip(one.tags, ("O", *one.tags[:-1]), strict=True)) for one in members]
        counts = count(pairs, [float(tf.constant(len(one.tags) / 7, tf.float32)) for one in members])
        expected = {
            "loss": pytest.approx(token_loss(counts)),
            "span_f1": span_f1(counts),
            "span_precision": span_precision(counts),
            "span_recall": span_recall(counts),
            "token_accuracy": token_accuracy(counts),
        }
        if key in ((), (("source", "pos"),)):
            expected |= dict.fromkeys(
                ("span_f1", "span_precision", "span_recall"), pytest.approx(math.nan, nan_ok=True)
            )
        assert found[key] == expected, key
    assert 0 < found[(("source", "web"),)]["span_f1"] < 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_model_analysis_finds_the_same_however_it_is_sharded(
    found: dict[Any, dict[str, float]], tmp_path: Path
) -> None:
    again = evaluate(tmp_path, 1)
    assert {key: repr(again[key]) for key in again} == {key: repr(found[key]) for key in again}
