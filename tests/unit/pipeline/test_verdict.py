"""The judgement of gates in sentences, and the reading of TensorFlow Model Analysis."""

import math
from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.utils import config_util
from tfx_bsl.tfxio import tf_sequence_example_record

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.evaluator.results import read_metrics
from pipeline.config.job import Job
from pipeline.dag import gates, verdict
from trainer.data import kinds
from trainer.data.features import parse_raw
from trainer.jobs.counting import Undefined

MakeJob = Callable[..., Job]
Judged = list[tuple[bool, str]]
NOT_BIO = Undefined("has tags that are not BIO tags")
MARGIN = "than the last blessed model's"


@pytest.mark.parametrize(
    ("gate", "candidate", "baseline", "met", "sentence"),
    [
        ({"min": 0.85}, 0.85, None, True, "accuracy is 0.8500, which meets at least 0.85"),
        ({"min": 0.85}, 0.8123456, None, False, "accuracy is 0.8123, but must be at least 0.85"),
        ({"min": 0.9}, 900 / 1000, None, True, "accuracy is 0.9000, which meets at least 0.9"),
        ({"min": 0.9}, 89_999 / 100_000, None, False, "accuracy is 0.89999, but must be at least 0.9"),
        ({"max_drop": 0.01}, 0.89, 0.9, True, f"accuracy is 0.0100 worse {MARGIN} 0.9000, within the margin of 0.01"),
        ({"max_drop": 0.01}, 0.88999, 0.9, False, f"accuracy is 0.01001 worse {MARGIN} 0.9000, beyond the margin"),
        ({"min": 0.85}, math.nan, None, False, "accuracy has no value"),
        ({"max_drop": 0.01}, 0.9, None, True, "accuracy: no earlier blessed model to compare with"),
        ({"max_drop": 0.01}, 0.89, 0.895, True, f"accuracy is 0.0050 worse {MARGIN} 0.8950, within the margin of 0.01"),
        ({"max_drop": 0.01}, 0.8, 0.895, False, f"accuracy is 0.0950 worse {MARGIN} 0.8950, beyond the margin of 0.01"),
        ({"max_drop": 0}, 0.91, 0.9, True, f"accuracy is 0.0100 better {MARGIN} 0.9000, within the margin of 0"),
        ({"max_drop": 0}, 0.9, 0.9, True, "accuracy is equal to the last blessed model's 0.9000, within the mar"),
        ({"max_drop": 0}, 0.9, math.nan, False, "accuracy is 0.9000, but the last blessed model has no value to comp"),
        # An undefined metric never passes, even if it is compared with nothing.
        ({"max_drop": 0.01}, math.nan, None, False, "accuracy has no value"),
        ({"max_drop": 0.01}, math.nan, 0.9, False, "accuracy has no value"),
        # A lower loss is better.
        ({"max": 0.4}, 0.3, None, True, "loss is 0.3000, which meets at most 0.4"),
        ({"max": 0.4}, 0.5, None, False, "loss is 0.5000, but must be at most 0.4"),
        ({"max_rise": 0.1}, 0.2, 0.3, True, f"loss is 0.1000 better {MARGIN} 0.3000, within the margin of 0.1"),
        ({"max_rise": 0.1}, 0.5, 0.3, False, f"loss is 0.2000 worse {MARGIN} 0.3000, beyond the margin of 0.1"),
    ],
)
def test_a_threshold_is_judged_in_a_sentence(gated, gate, candidate, baseline, met, sentence):
    metric = sentence.replace(":", " ").split()[0]
    before = None if baseline is None else {"overall": {metric: baseline}}
    (found,) = verdict.judge(gated("classifier", {metric: gate}), {"overall": {metric: candidate}}, before)
    assert (found[0], found[1][: len(sentence)]) == (met, sentence)
    numbers = found[1]
    assert (numbers.metric, numbers.slice) == (metric, "overall")
    if math.isnan(candidate):
        assert (numbers.bound, numbers.limit, numbers.value) == (None, None, None)
    else:
        assert ({numbers.bound: numbers.limit}, numbers.value) == (gate, candidate)


@pytest.mark.parametrize(
    ("gate", "value", "linear", "met", "sentence"),
    [
        (
            {"min_over_linear": 0},
            0.8712,
            0.8612,
            True,
            "0.0100 better than the linear model's 0.8612, which meets at le",
        ),
        ({"min_over_linear": 0}, 0.9, 0.9, True, "equal to the linear model's 0.9000, which meets at least 0"),
        ({"min_over_linear": 0}, 0.8999999, 0.9, False, "0.0000001 worse than the linear model's 0.9000, but must be"),
        ({"min_over_linear": 0.1}, 0.9, 0.8, True, "0.1000 better than the linear model's 0.8000, which meets at le"),
        ({"min_over_linear": 0.02}, 0.81, 0.8, False, "0.0100 better than the linear model's 0.8000, but must be at l"),
        ({"min_over_linear": -0.02}, 0.79, 0.8, True, "0.0100 worse than the linear model's 0.8000, which meets at le"),
        ({"max_over_linear": 0}, 0.3, 0.4, True, "0.1000 better than the linear model's 0.4000, which meets at most 0"),
        ({"max_over_linear": 0.1}, 0.5, 0.4, True, "0.1000 worse than the linear model's 0.4000, which meets at most"),
        ({"max_over_linear": -0.2}, 0.3, 0.4, False, "0.1000 better than the linear model's 0.4000, but must be at m"),
    ],
)
def test_a_margin_over_the_linear_model_is_judged_in_a_sentence(gated, gate, value, linear, met, sentence):
    name = "accuracy" if "min_over_linear" in gate else "loss"
    job = gated("classifier", {name: gate})
    ((found, text),) = verdict.judge(job, {"overall": {name: value}}, None, linear={name: linear})
    assert found == met
    assert f"{text}  ".startswith(f"{name} is {value:.4f}, {sentence}")


@pytest.mark.parametrize(("value", "linear"), [(0.9, {}), (math.nan, {"accuracy": 0.9})])
def test_a_missing_value_keeps_no_margin(gated, value, linear):
    job = gated("classifier", {"accuracy": {"min_over_linear": -1}})
    ((met, text),) = verdict.judge(job, {"overall": {"accuracy": value}}, None, linear=linear)
    missing = "accuracy is 0.9000, but the linear model has no value to compare with"
    assert (met, text) == (False, "accuracy has no value" if math.isnan(value) else missing)


def test_thresholds_of_sources_are_judged_on_their_documents(gated: MakeJob) -> None:
    slices = {"imdb": {"min": 0.9}, "rt": {"min": 0.7}, "blog": {"min": 0.1}, "news": {"min": 0.1}}
    job = gated("classifier", {"accuracy": {"min": 0.8, "slices": slices}})
    values = {"overall": 0.85, "source=imdb": 0.85, "source=rt": 0.75, "source=news": math.nan}
    assert list(verdict.judge(job, {place: {"accuracy": value} for place, value in values.items()}, None)) == [
        (True, "accuracy is 0.8500, which meets at least 0.8"),
        (False, "accuracy on source=imdb is 0.8500, but must be at least 0.9"),
        (True, "accuracy on source=rt is 0.7500, which meets at least 0.7"),
        (False, "accuracy on source=blog: no such documents in the test split"),
        (False, "accuracy on source=news has no value"),
    ]


@pytest.mark.parametrize("name", ["span_f1", "span_precision", "span_recall"])
def test_undefined_span_metrics_are_reported_once(gated: MakeJob, name: str) -> None:
    job = gated("tagger", {name: {"min": 0.5, "max_drop": 0.1, "slices": {"x": {"min": 0.1}}}})
    values = {"overall": {name: NOT_BIO}, "source=x": {name: 0.3}}
    why = f"{name} has no value: the test split has tags that are not BIO tags"
    assert list(verdict.judge(job, values, values)) == [
        (False, why),
        (True, f"{name} on source=x is 0.3000, which meets at least 0.1"),
    ]
    assert list(verdict.undefined(job, values)) == [why]
    assert list(verdict.judge(job, {"overall": {name: 0.5}, "source=x": {name: NOT_BIO}}, None))[-2] == (
        False,
        f"{name} on source=x has no value: source=x has tags that are not BIO tags",
    )
    assert list(verdict.judge(gated("tagger"), values, None)) == []


METRICS = {
    "overall": {"spearman": 0.4, "analogy_accuracy": 0.2, "loss": 2},
    "gates=1": {"spearman": 0.55, "analogy_accuracy": 0.3, "loss": 2},
    "source=ws,gates=1": {"spearman": 0.55},
    "source=sl,gates=1": {"spearman": 0.25},
}
BASELINE = {"overall": {"spearman": 0.1, "loss": 2.5}, "gates=1": {"spearman": 0.56}}
SL, WS, QS = (
    f"the vocabulary covers only {share} of {name}, too little for a gate"
    for share, name in (("0.31", "sl"), ("0.49", "ws"), ("0.10", "qs"))
)
UNCOVERED = "cannot be measured: no set is covered"
ANALOGIES, NO_ANALOGIES = f"{QS}: analogy_accuracy excludes it", f"analogy_accuracy {UNCOVERED}"
WORSE = f"spearman is 0.0100 worse {MARGIN} 0.5600, within the margin of 0.02"


@pytest.mark.parametrize(
    ("gate", "uncovered", "expected"),
    [
        ({"spearman": {"min": 0.5}}, {}, [(True, "spearman is 0.5500, which meets at least 0.5")]),
        # The remaining sets decide, and the skipped one is named.
        (
            {"spearman": {"min": 0.6}},
            {"sl": 0.319},
            [(True, f"{SL}: spearman excludes it"), (False, "spearman over ws is 0.5500, but must be at least 0.6")],
        ),
        # Nothing could be measured.
        (
            {"spearman": {"min": -1, "max_drop": 1}},
            {"sl": 0.31, "ws": 0.4999},
            [*((False, f"{what}: spearman excludes it") for what in (WS, SL)), (False, f"spearman {UNCOVERED}")],
        ),
        ({"analogy_accuracy": {"max_drop": 0.3}}, {"qs": 0.1}, [(False, ANALOGIES), (False, NO_ANALOGIES)]),
        # A set that a gate names must be covered.
        (
            {"spearman": {"slices": {"ws": {"min": 0.5}, "sl": {"min": -1}}}},
            {"sl": 0.31, "qs": 0.1},
            [
                (True, f"{SL}: spearman excludes it"),
                (True, "spearman on source=ws is 0.5500, which meets at least 0.5"),
                (False, f"spearman on source=sl cannot be measured: {SL}"),
            ],
        ),
        ({"spearman": {"max_drop": 0.02}}, {}, [(True, WORSE)]),
        (
            {"loss": {"max": 1.5, "max_rise": 0}},
            {"ws": 0.1, "sl": 0.1},
            [
                (False, "loss is 2.0000, but must be at most 1.5"),
                (True, f"loss is 0.5000 better {MARGIN} 2.5000, within the margin of 0"),
            ],
        ),
    ],
)
def test_word_vectors_are_judged_on_the_sets_that_are_covered(gated, gate, uncovered, expected):
    assert list(verdict.judge(gated("word2vec", gate), METRICS, BASELINE, uncovered)) == expected


def test_undefined_metrics_and_redundant_slices_are_not_shown(gated: MakeJob) -> None:
    metrics = {
        "overall": {"spearman": math.nan, "loss": 2.0},
        "gates=1": {"spearman": 0.5},
        "gates=0": {"spearman": 0.1},
        "source=ws,gates=1": {"spearman": 0.5},
        "source=ws,section=ws": {"spearman": 0.5},
        "source=qs,section=first": {"analogy_accuracy": 0.3},
    }
    assert verdict.visible(gated("word2vec"), metrics) == {
        "overall": {"loss": 2.0},
        "source=ws": {"spearman": 0.5},
        "source=qs,section=first": {"analogy_accuracy": 0.3},
    }
    plain = {"overall": {"accuracy": 0.5}, "source=web": {"accuracy": 0.6, "auc": math.nan}}
    assert verdict.visible(gated("classifier"), plain) == {**plain, "source=web": {"accuracy": 0.6}}


CLASSES = ["a", "b", "c"]
SAID = [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.6, 0.2, 0.2], [0.5, 0.2, 0.3]]


class Said(tf.Module):
    """Answers each document with the probabilities that its id numbers."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        numbers = tf.strings.to_number(parse_raw(examples, kinds.LABELLED_TEXT)["id"], tf.int64)
        labels = tf.tile([CLASSES], [tf.size(numbers), 1])
        return {"labels": labels, "probabilities": tf.gather(tf.constant(SAID), numbers)}


@pytest.fixture(scope="module")
def evaluated(gated: MakeJob, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of TensorFlow Model Analysis for three classes with an AUC of 1, 7/8 and 1/2."""
    job = gated("classifier", {"auc": {"min": 0.6}, "accuracy": {"min": 0.5}}, labels=CLASSES)
    config = config_util.update_eval_config_with_defaults(gates.eval_config(job))
    folder = tmp_path_factory.mktemp("evaluated")
    model = Said()
    tf.saved_model.save(model, str(folder / "model"), {"serve_examples": model.serve_examples})
    with tf.io.TFRecordWriter(str(folder / "data.gz"), "GZIP") as writer:
        for number, (label, source) in enumerate(zip("abcb", ["web", "web", "web", "news"], strict=True)):
            writer.write(encode(Document(("x",), label, source, str(number), number + 1)))
    source = tf_sequence_example_record.TFSequenceExampleRecord(
        str(folder / "data.gz"), raw_record_column_name=tfma.ARROW_INPUT_COLUMN, telemetry_descriptors=["test"]
    )
    shared = tfma.default_eval_shared_model(str(folder / "model"), eval_config=config)
    write = tfma.ExtractEvaluateAndWriteResults(
        eval_config=config, eval_shared_model=shared, output_path=str(folder / "out")
    )
    with beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner") as pipeline:
        _ = pipeline | source.BeamSource() | write
    return folder / "out"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_lowest_class_counts_and_a_missing_one_is_named(gated: MakeJob, evaluated: Path) -> None:
    metrics = read_metrics(str(evaluated))
    assert metrics.keys() == {"overall", "source=web", "source=news"}
    loss = -math.log(0.8 * 0.6 * 0.2 * 0.2) / 4
    assert metrics["overall"] == pytest.approx({"accuracy": 0.5, "auc": 0.5, "documents": 4, "loss": loss}, rel=1e-7)
    assert metrics["overall"]["auc"] == 0.5
    assert verdict.failed_metrics(str(evaluated)) == ["auc"]
    job = gated("classifier", {"auc": {"max_drop": 0.5, "slices": {"news": {"min": 0}}}}, labels=CLASSES)
    assert next(verdict.judge(job, metrics, None)) == (
        False,
        "auc on source=news has no value: source=news has no document of a, c",
    )
    assert "auc" not in verdict.visible(job, metrics)["source=news"]
