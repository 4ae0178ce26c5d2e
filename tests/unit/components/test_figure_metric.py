"""Figures in TensorFlow Model Analysis equal plain ones on every slice, for any distribution over files."""

import base64
import json
import math
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx_bsl.tfxio import tf_sequence_example_record

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.evaluation_sets.question_records import encode_documents, encode_questions
from components.evaluation_sets.set_files import Question
from components.evaluation_sets.sets import QuestionSet
from components.evaluator import figure_metric
from trainer.data import kinds
from trainer.data.features import parse_raw
from trainer.jobs import dotted
from trainer.jobs.counting import Counts, Undefined
from trainer.tagger.metrics import TagCounts
from trainer.word2vec.metrics import Judgement, Judgements

Slice = tuple[tuple[str, Any], ...]


class Case(NamedTuple):
    """A model with the signature `judge`, and the serialized records that it judges.

    The counts and the values of the slices are those of single records; `slices` has the features of each slicing.
    """

    model: tf.Module
    metrics: str
    figures: tuple[str, ...]
    records: list[bytes]
    counts: list[Counts]
    keys: list[dict[str, Any]]
    slices: list[list[str]]


class TagOfTheTokenBefore(tf.Module):
    """Assigns each token the tag of the previous one, with a loss of 0.3 nats per token."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def judge(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        given_tags = parse_raw(examples, kinds.TAGGED_TEXT)["tags"].merge_dims(1, 2)
        length = given_tags.row_lengths()
        shape = tf.stack([tf.constant(-1, tf.int64), tf.maximum(tf.reduce_max(length), 1)])
        padded = given_tags.to_tensor("", shape=shape)
        said = tf.concat([tf.fill([tf.shape(padded)[0], 1], "O"), padded[:, :-1]], axis=1)
        return {"given": padded, "tags": said, "length": length, "loss": tf.cast(length, tf.float32) * 0.3}


def tagged() -> Case:
    draw = random.Random(1)
    documents, counts = [], []
    for number in range(60):
        tags = tuple(draw.choices(["O", "B-X", "I-X", "B-Y"], k=draw.randrange(1, 12)))
        if number % 20 == 19:
            tags = ("NN", *tags)
        source = "pos" if number % 20 == 19 else draw.choice(["web", "news"])
        tokens = tuple("abcdefghijkl"[: len(tags)])
        documents.append(Document((), None, source, str(number), number + 1, None, tokens, tags))
        counts.append(TagCounts())
        counts[-1].add(tags, ("O", *tags[:-1]), float(np.float32(len(tags)) * np.float32(0.3)))
    return Case(
        TagOfTheTokenBefore(),
        "trainer.tagger.metrics",
        ("token_accuracy", "token_loss", "span_f1", "span_precision", "span_recall"),
        [encode(document) for document in documents],
        counts,
        [{"source": document.source} for document in documents],
        [["source"]],
    )


class Hash(tf.Module):
    """Predicts hashes of the records' ids: the counting afterwards works on any predictions."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def judge(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        context = {name: tf.io.FixedLenFeature([], tf.string) for name in ("id", "task")}
        found, _, _ = tf.io.parse_sequence_example(examples, context)

        def number(salt: int, values: int) -> tf.Tensor:
            return tf.cast(tf.strings.to_hash_bucket_strong(found["id"], values, [salt, 1]), tf.float32)

        return {
            "similarity": number(1, 50) / 50,
            "correct": number(2, 2),
            "loss": number(3, 1000) / 7,
            "pairs": number(4, 30),
            "known": tf.cast(number(5, 4) > 0, tf.float32),
        }


SETS = [
    (QuestionSet("ws", "similarity", [Question(n, ("a", "b"), score=n % 9 / 2) for n in range(60)]), True),
    (QuestionSet("rare", "similarity", [Question(n, ("a", "b"), score=n % 7) for n in range(30)]), False),
    (QuestionSet("qs", "analogy", [Question(n, ("a",) * 4, f"part{n % 2}") for n in range(40)]), True),
]


def held_out() -> Iterator[bytes]:
    return encode_documents(encode(Document(("a b",), None, "s", f"d{number}", 1)) for number in range(25))


def embedded() -> Case:
    records = [record for asked, gates in SETS for record in encode_questions(asked, gates)] + list(held_out())
    said = {name: values.numpy() for name, values in Hash().judge(tf.constant(records)).items()}
    counts: list[Counts] = []
    keys = []
    for number, record in enumerate(records):
        context = tf.train.SequenceExample.FromString(record).context.feature
        task, source, section = (context[name].bytes_list.value[0].decode() for name in ("task", "source", "section"))
        answer = {name: float(values[number]) for name, values in said.items()}
        counts.append(Judgements(rows=[Judgement(task, source, context["score"].float_list.value[0], **answer)]))
        keys.append({"source": source, "section": section, "gates": context["gates"].int64_list.value[0]})
    figures = ("spearman", "analogy_accuracy", "coverage", "held_out_loss")
    slices = [["gates"], ["source", "gates"], ["source", "section"]]
    return Case(Hash(), "trainer.word2vec.metrics", figures, records, counts, keys, slices)


def total(counts: Iterable[Counts], case: Case) -> Counts:
    found: Counts = dotted.load(f"{case.metrics}:COUNTS")()
    for one in counts:
        found.update(one)
    return found


def plain(case: Case) -> dict[Slice, dict[str, float]]:
    """The figures by slice, computed in plain Python."""
    parts: dict[Slice, list[Counts]] = {}
    for one, values in zip(case.counts, case.keys, strict=True):
        for names in ([], *case.slices):
            parts.setdefault(tuple(sorted((name, values[name]) for name in names)), []).append(one)
    figures = {name: dotted.load(f"{case.metrics}:{name}") for name in sorted(case.figures)}
    return {key: {name: figure(total(part, case)) for name, figure in figures.items()} for key, part in parts.items()}


def evaluate(folder: Path, case: Case, shards: int) -> dict[Slice, dict[str, float]]:
    """Runs TensorFlow Model Analysis over the records in this many files."""
    tf.saved_model.save(case.model, str(folder / "model"), {"judge": case.model.judge})
    (folder / "data").mkdir()
    for shard in range(shards):
        with tf.io.TFRecordWriter(str(folder / "data" / f"{shard}.gz"), "GZIP") as writer:
            for record in case.records[shard::shards]:
                writer.write(record)
    module, metrics = figure_metric.__name__, []
    for name in case.figures:
        options = json.dumps({"name": name, "figure": f"{case.metrics}:{name}", "code": "1"})
        metrics.append(tfma.MetricConfig(class_name="FigureMetric", module=module, config=options))
    config = tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(signature_name="judge")],
        slicing_specs=[tfma.SlicingSpec(feature_keys=keys) for keys in ([], *case.slices)],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
    )
    model = tfma.default_eval_shared_model(str(folder / "model"), eval_config=config)
    source = tf_sequence_example_record.TFSequenceExampleRecord(
        str(folder / "data" / "*"), raw_record_column_name=tfma.ARROW_INPUT_COLUMN, telemetry_descriptors=["test"]
    )
    out = str(folder / "out")
    write = tfma.ExtractEvaluateAndWriteResults(eval_config=config, eval_shared_model=model, output_path=out)
    with beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner") as pipeline:
        _ = pipeline | source.BeamSource() | write
    return {
        key: dict(_value(name, value) for name, value in sorted(found[""][""].items()))
        for key, found in tfma.load_eval_result(out).slicing_metrics
    }


def _value(name: str, value: dict[str, Any]) -> tuple[str, float]:
    """The value of a metric, which the reason why it has none, if any, follows and replaces."""
    if "bytesValue" in value:
        return name.removesuffix(figure_metric.REASON), Undefined(base64.b64decode(value["bytesValue"]).decode())
    return name, float(value["doubleValue"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("shards", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("make", "slices"), [(tagged, 1 + 3), (embedded, 1 + 2 + 4 + 5)])
def test_model_analysis_agrees_with_the_plain_figures_on_every_slice(tmp_path, make, slices, shards):
    case = make()
    found, expected = evaluate(tmp_path, case, shards), plain(case)
    assert len(expected) == slices

    def texts(figures: dict[str, float]) -> dict[str, str]:
        # NaN is not equal to itself.
        return {name: getattr(value, "reason", repr(value)) for name, value in figures.items()}

    assert {key: texts(values) for key, values in found.items()} == {key: texts(expected[key]) for key in expected}


def test_the_plain_figures_are_worth_comparing() -> None:
    tags, words = plain(tagged()), plain(embedded())
    assert 0 < tags[(("source", "web"),)]["span_f1"] < 1
    assert all(math.isnan(tags[key]["span_f1"]) for key in ((), (("source", "pos"),)))
    # Of the sets of pairs, gates use only ws.
    assert words[(("gates", 1),)]["spearman"] == words[(("gates", 1), ("source", "ws"))]["spearman"]
    assert words[()]["spearman"] != words[(("gates", 1),)]["spearman"]
