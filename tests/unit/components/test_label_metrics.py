"""Metrics of any number of labels against scikit-learn, and inside TensorFlow Model Analysis."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
import tensorflow_model_analysis as tfma
from components.evaluator.label_metrics import (
    Counts,
    exact_match,
    macro_f1,
    mean_loss,
    micro_f1,
    micro_precision,
    micro_recall,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tfx_bsl.tfxio import tf_sequence_example_record

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.evaluator import label_metrics, metrics
from trainer.data import kinds
from trainer.data.features import parse_raw

CLASSES = ["a", "b", "c", "d"]
SETS = st.sets(st.sampled_from(CLASSES))
Documents = list[tuple[set[str], set[str]]]


def count(documents: Documents, losses: list[float] | None = None) -> Counts:
    counts = Counts()
    for (wanted, found), loss in zip(documents, losses or [0.0] * len(documents), strict=True):
        counts.add(CLASSES, wanted, found, loss)
    return counts


def hot(sets: list[set[str]]) -> np.ndarray:
    return np.array([[name in labels for name in CLASSES] for labels in sets])


@given(st.lists(st.tuples(SETS, SETS), min_size=1, max_size=8))
@settings(max_examples=50)
def test_figures_are_those_of_scikit_learn(documents: Documents) -> None:
    counts = count(documents)
    pair = hot([wanted for wanted, _ in documents]), hot([found for _, found in documents])
    for average, figure in (("micro", micro_f1), ("macro", macro_f1)):
        assert figure(counts) == pytest.approx(sklearn.metrics.f1_score(*pair, average=average, zero_division=0))
    assert micro_precision(counts) == pytest.approx(
        sklearn.metrics.precision_score(*pair, average="micro", zero_division=0)
    )
    assert micro_recall(counts) == pytest.approx(sklearn.metrics.recall_score(*pair, average="micro", zero_division=0))
    assert exact_match(counts) == pytest.approx(sklearn.metrics.accuracy_score(*pair))


def test_figures_by_hand() -> None:
    # a: 1 found of 2 given and 1 predicted; b: none of 0 and 1; x, which the model does not know: none of 1 and 0.
    counts = count([({"a"}, {"a"}), ({"a", "x"}, {"b"}), (set(), set())], [0.5, 1.0, 0.0])
    assert exact_match(counts) == 2 / 3
    assert mean_loss(counts) == 0.5
    assert (micro_precision(counts), micro_recall(counts), micro_f1(counts)) == (1 / 2, 1 / 3, 2 / 5)
    assert macro_f1(counts) == pytest.approx((2 / 3) / 5)


def test_without_documents_there_are_no_means() -> None:
    assert all(math.isnan(figure(Counts())) for figure in (exact_match, mean_loss, macro_f1))
    assert micro_f1(Counts()) == 0


@given(st.lists(st.floats(0, 1e3, width=32), min_size=1), st.randoms())
@settings(max_examples=50)
def test_the_loss_does_not_depend_on_the_order(losses: list[float], order: random.Random) -> None:
    mixed = order.sample(losses, len(losses))
    one, other = (mean_loss(count([(set(), set())] * len(listed), listed)) for listed in (losses, mixed))
    assert one == other == pytest.approx(math.fsum(losses) / len(losses))


class Judge(tf.Module):
    """A model that gives every document the label a and the last of its own, and loses their number in nats."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def judge(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        own = parse_raw(examples, kinds.MULTI_LABELLED_TEXT)["labels"].merge_dims(1, 2)
        last = own[:, -1:].to_tensor("", shape=[None, 1])
        names = tf.tile([CLASSES], [tf.shape(last)[0], 1])
        shape = tf.stack([tf.constant(-1, tf.int64), tf.maximum(own.bounding_shape(axis=1), 1)])
        return {
            "labels": names,
            "predicted": (names == "a") | (names == last),
            "given": own.to_tensor("", shape=shape),
            "loss": tf.cast(own.row_lengths(), tf.float32) / 7,
        }


def documents() -> list[Document]:
    draw = random.Random(1)
    found = []
    for number in range(60):
        labels = tuple(sorted(draw.sample([*CLASSES, "x"], draw.randrange(4))))
        source = draw.choice(["web", "news"])
        found.append(Document(("t",), None, source, str(number), number + 1, labels=labels))
    return found


def evaluate(folder: Path, shards: int) -> dict[Any, dict[str, float]]:
    """Runs TensorFlow Model Analysis over the documents in this many files."""
    judge = Judge()
    tf.saved_model.save(judge, str(folder / "model"), {"judge": judge.judge})
    (folder / "data").mkdir()
    for shard in range(shards):
        with tf.io.TFRecordWriter(str(folder / "data" / f"{shard}.gz"), "GZIP") as writer:
            for document in documents()[shard::shards]:
                writer.write(encode(document))
    names = ("ExactLabels", "LabelLoss", "MacroF1", "MicroF1", "MicroPrecision", "MicroRecall")
    config = tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(signature_name="judge")],
        slicing_specs=[tfma.SlicingSpec(feature_keys=keys) for keys in ([], ["source"])],
        metrics_specs=[
            tfma.MetricsSpec(
                metrics=[
                    tfma.MetricConfig(class_name=n, module=metrics.__name__, config='{"code": "1"}') for n in names
                ]
            )
        ],
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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_model_analysis_finds_the_same_on_every_slice_however_it_is_sharded(tmp_path: Path) -> None:
    for name in ("one", "many"):
        (tmp_path / name).mkdir()
    found = evaluate(tmp_path / "one", 1)
    by_slice: dict[Any, list[Document]] = {}
    for document in documents():
        for key in ((), (("source", document.source),)):
            by_slice.setdefault(key, []).append(document)
    assert found.keys() == by_slice.keys()
    for key, members in by_slice.items():
        pairs = [({*one.labels}, {"a", *one.labels[-1:]} & {*CLASSES}) for one in members]
        counts = count(pairs, [float(tf.constant(len(one.labels) / 7, tf.float32)) for one in members])
        assert found[key] == {
            "accuracy": exact_match(counts),
            "loss": pytest.approx(mean_loss(counts)),
            **{
                figure.__name__: figure(counts)
                for figure in (label_metrics.macro_f1, micro_f1, micro_precision, micro_recall)
            },
        }
    assert 0 < found[()]["macro_f1"] < found[()]["micro_f1"] < 1
    assert evaluate(tmp_path / "many", 7) == found
