"""Metrics of word vectors against SciPy and counts by hand, and inside TensorFlow Model Analysis."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_model_analysis as tfma
from components.evaluator.embedding_metrics import (
    Judgement,
    analogy_accuracy,
    coverage,
    loss,
    rank_correlation,
    spearman,
)
from hypothesis import given
from hypothesis import strategies as st
from tfx_bsl.tfxio import tf_sequence_example_record

from components.evaluation_sets.question_records import encode_documents, encode_questions
from components.evaluation_sets.set_files import Question
from components.evaluation_sets.sets import QuestionSet
from components.evaluator import embedding_metrics

FEW = st.sampled_from([-1.0, 0.0, 0.1, 0.5, 7.25])
# SciPy overflows with numbers near the largest.
ANY = st.floats(-1e100, 1e100)
PAIRS = st.lists(st.tuples(FEW | ANY, FEW | ANY), min_size=2, max_size=40)


@given(PAIRS)
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_the_rank_correlation_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    first, second = zip(*pairs, strict=True)
    expected = scipy.stats.spearmanr(first, second).statistic
    assert rank_correlation(first, second) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(PAIRS, st.randoms())
def test_the_rank_correlation_does_not_depend_on_the_order(
    pairs: list[tuple[float, float]], order: random.Random
) -> None:
    mixed = order.sample(pairs, len(pairs))
    one, other = (rank_correlation(*zip(*listed, strict=True)) for listed in (pairs, mixed))
    assert one == other or (math.isnan(one) and math.isnan(other))


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0], [1.0, math.nan], [1.0, math.inf]])
def test_the_rank_correlation_of_too_few_equal_or_odd_values_is_undefined(values: list[float]) -> None:
    assert math.isnan(rank_correlation(values, range(len(values))))
    assert math.isnan(rank_correlation(range(len(values)), values))


def test_sums_of_many_ranks_stay_whole() -> None:
    values = np.random.default_rng(1).integers(0, 50_000, size=[2, 200_000])
    expected = scipy.stats.spearmanr(*values).statistic
    assert rank_correlation(*values) == pytest.approx(expected, abs=1e-12)


def pairs(source: str, *scored: tuple[float, float], **values: float) -> list[Judgement]:
    return [Judgement("similarity", source, score, similarity=said, **values) for score, said in scored]


RISING, FALLING = ((1, 0.1), (2, 0.2), (3, 0.3)), ((1, 0.3), (2, 0.2), (3, 0.1))
MIXED = ((1, 0.1), (2, 0.3), (3, 0.2))  # 1 - 6 * 2 / (3 * 8) = 0.5


def test_spearman_is_the_mean_over_sets() -> None:
    assert spearman(pairs("a", *RISING)) == 1
    assert spearman([*pairs("a", *RISING), *pairs("b", *FALLING)]) == 0
    assert spearman([*pairs("a", *RISING), *pairs("b", *MIXED)]) == 0.75
    # One set of all six pairs would have 0.37.
    assert spearman([*pairs("a", *RISING), *pairs("b", *((score + 9, said) for score, said in RISING))]) == 1


def test_spearman_leaves_unknown_pairs_out() -> None:
    unknown = pairs("a", (9, 0.0), (8, 0.0), known=0)
    assert spearman([*pairs("a", *RISING), *unknown]) == 1
    assert spearman([*pairs("a", *RISING), *pairs("b", (1, 0.1)), *pairs("c", *RISING, known=0)]) == 1
    assert math.isnan(spearman([*unknown, Judgement("analogy", "q"), Judgement("documents", "eval")]))


def test_a_collapsed_model_has_no_spearman() -> None:
    assert math.isnan(spearman([*pairs("a", *RISING), *pairs("b", (1, 0.5), (2, 0.5))]))
    assert math.isnan(spearman([*pairs("a", *RISING), *pairs("b", (1, math.nan), (2, 0.5))]))


def test_gates_rest_on_covered_sets_alone() -> None:
    weak = pairs("b", *FALLING, gates=0)
    assert spearman([*pairs("a", *MIXED), *weak], gated=True) == 0.5
    assert spearman(weak, gated=True) == 1
    assert spearman(weak) == -1
    assert spearman([Judgement("analogy", "q"), Judgement("documents", "eval")], gated=True) == 1
    # Without a value the gate must not be met.
    assert math.isnan(spearman(pairs("a", *RISING, known=0), gated=True))
    assert math.isnan(spearman([*pairs("a", *RISING), *pairs("b", (1, 0.1))], gated=True))


def analogies(source: str, *correct: float, **values: float) -> list[Judgement]:
    return [Judgement("analogy", source, correct=one, **values) for one in correct]


def test_analogies_are_counted_over_all_sets() -> None:
    judged = [
        *analogies("a", 1, 0, 0),
        *analogies("b", 1, gates=0),
        *analogies("a", 0, 0, known=0),
        *pairs("c", *MIXED),
    ]
    assert analogy_accuracy(judged) == 2 / 4
    assert analogy_accuracy(judged, gated=True) == 1 / 3
    assert math.isnan(analogy_accuracy(pairs("c", *MIXED)))
    assert analogy_accuracy(analogies("b", 0, gates=0), gated=True) == 1
    assert math.isnan(analogy_accuracy(analogies("b", 0, known=0), gated=True))


def test_coverage_counts_pairs_and_analogies() -> None:
    judged = [*pairs("a", *RISING), *analogies("b", 1, 0, known=0), Judgement("documents", "eval", known=0)]
    assert coverage(judged) == 3 / 5
    assert math.isnan(coverage([Judgement("documents", "eval")]))


def test_the_loss_is_that_of_a_pair_of_words() -> None:
    documents = [Judgement("documents", "eval", loss=one, pairs=n) for one, n in ((6.0, 2), (3.0, 4), (0.0, 0))]
    assert loss([*documents, *pairs("a", *RISING)]) == 9 / 6
    assert math.isnan(loss(documents[2:]))
    assert math.isnan(loss([*documents, Judgement("documents", "eval", loss=math.nan, pairs=1)]))


@given(st.lists(st.floats(0, 1e9, width=32), min_size=1), st.randoms())
def test_the_loss_does_not_depend_on_the_order(losses: list[float], order: random.Random) -> None:
    documents = [Judgement("documents", "eval", loss=one, pairs=3) for one in losses]
    assert loss(documents) == loss(order.sample(documents, len(documents)))


class Judge(tf.Module):
    """Says of each record what its bytes hash to: as good as any model for what is counted afterwards."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def judge(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Judges records, string [batch]."""
        context = {name: tf.io.FixedLenFeature([], tf.string) for name in ("id", "task")}
        found, _, _ = tf.io.parse_sequence_example(examples, context)

        def number(salt: int, values: int) -> tf.Tensor:
            hashed = tf.strings.to_hash_bucket_strong(found["id"], values, [salt, 1])
            return tf.cast(hashed, tf.float32)

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


def document(number: int) -> bytes:
    identity = tf.train.Feature(bytes_list={"value": [b"d%d" % number]})
    example = tf.train.SequenceExample(context={"feature": {"id": identity}})
    example.feature_lists.feature_list["text"].feature.add().bytes_list.value.append(b"a b")
    serialized: bytes = example.SerializeToString()
    return serialized


RECORDS = [record for asked, gates in SETS for record in encode_questions(asked, gates)]
RECORDS += encode_documents(document(number) for number in range(25))

Slice = tuple[tuple[str, str], ...]


def metric(class_name: str, **config: Any) -> tfma.MetricConfig:
    return tfma.MetricConfig(class_name=class_name, module=embedding_metrics.__name__, config=json.dumps(config))


def evaluate(folder: Path, shards: int) -> dict[Slice, dict[str, float]]:
    """Runs TensorFlow Model Analysis over the records in this many files."""
    judge = Judge()
    tf.saved_model.save(judge, str(folder / "model"), {"judge": judge.judge})
    (folder / "data").mkdir()
    for shard in range(shards):
        with tf.io.TFRecordWriter(str(folder / "data" / f"{shard}.gz"), "GZIP") as writer:
            for record in RECORDS[shard::shards]:
                writer.write(record)
    config = tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(signature_name="judge")],
        slicing_specs=[tfma.SlicingSpec(feature_keys=keys) for keys in ([], ["source"], ["source", "section"])],
        metrics_specs=[
            tfma.MetricsSpec(
                metrics=[
                    metric("Spearman", code="1"),
                    metric("Spearman", name="gated", gated=True),
                    metric("AnalogyAccuracy", name="analogies"),
                    metric("Coverage"),
                    metric("HeldOutLoss", name="loss"),
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
        key: {name: float(value["doubleValue"]) for name, value in sorted(metrics[""][""].items())}
        for key, metrics in result.slicing_metrics
    }


def judgements() -> dict[Slice, list[Judgement]]:
    """What the model says of the records, by slice."""
    said = {name: values.numpy() for name, values in Judge().judge(tf.constant(RECORDS)).items()}
    found: dict[Slice, list[Judgement]] = {}
    for number, record in enumerate(RECORDS):
        context = tf.train.SequenceExample.FromString(record).context.feature
        task, source, section = (context[name].bytes_list.value[0].decode() for name in ("task", "source", "section"))
        score, gates = context["score"].float_list.value[0], context["gates"].int64_list.value[0]
        one = Judgement(task, source, score, gates, **{name: float(values[number]) for name, values in said.items()})
        for key in ((), (("source", source),), (("section", section), ("source", source))):
            found.setdefault(key, []).append(one)
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("shards", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_model_analysis_finds_the_same_on_every_slice_however_it_is_sharded(tmp_path: Path, shards: int) -> None:
    found = evaluate(tmp_path, shards)
    expected = {
        key: {
            "analogies": analogy_accuracy(judged),
            "coverage": coverage(judged),
            "gated": spearman(judged, gated=True),
            "loss": loss(judged),
            "spearman": spearman(judged),
        }
        for key, judged in judgements().items()
    }
    assert len(expected) == 1 + 4 + 5
    assert found.keys() == expected.keys()
    # Their text is compared: NaN is not equal to itself.
    assert {key: repr(found[key]) for key in found} == {key: repr(expected[key]) for key in found}
    known = [one for one in judgements()[(("source", "ws"),)] if one.known]
    reference = scipy.stats.spearmanr([one.score for one in known], [one.similarity for one in known]).statistic
    assert found[(("source", "ws"),)]["spearman"] == pytest.approx(reference)
    assert 0 < len(known) < 60
