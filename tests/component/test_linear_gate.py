"""Gates that compare a model with the linear one, under TFX's Evaluator and with the sentences that explain them."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
from tfx.components.evaluator import executor as stock
from tfx.dsl.components.base import base_component
from tfx.dsl.components.common.importer import Importer
from tfx.types import standard_artifacts

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.evaluator.component import LinearGatedEvaluator
from components.evaluator.results import read_metrics
from components.stock.component import Evaluator
from pipeline.dag import gates, verdict
from pipeline.runners.local import ON_STOCK
from pipeline.tasks.classifier import ClassifierJob
from tests.component.corpus_job import run_components
from trainer.data import kinds
from trainer.data.features import parse_raw

LABELS = ["good", "good", "good", "bad", "bad", "bad", "bad", "bad", "good", "bad"]
"""Of ten documents."""

CORPUS = {"format": "csv", "path": "x", "label": "y", "labels": ["bad", "good"]}


class Constant(tf.Module):
    """Says bad with a probability."""

    def __init__(self, bad: float) -> None:
        super().__init__()
        self.bad = bad

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tf.shape(parse_raw(examples, kinds.LABELLED_TEXT)["id"])[0]
        names, shares = tf.constant([["bad", "good"]]), tf.constant([[self.bad, 1 - self.bad]])
        return {"labels": tf.tile(names, [rows, 1]), "probabilities": tf.tile(shares, [rows, 1])}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[bool, list[tuple[bool, str]]]]:
    """A function from gates and the linear model's metrics to the blessing and the sentences.

    The accuracy of the model is 0.6, that of the baseline too.
    """
    folder = tmp_path_factory.mktemp("gate")
    (folder / "examples" / "Split-test").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "examples" / "Split-test" / "data_tfrecord-00000-of-00001")) as writer:
        for number, label in enumerate(LABELS):
            writer.write(encode(Document(("text",), label, "x", str(number), 1)))
    for name, bad in (("model", 0.9), ("before", 0.8)):
        module = Constant(bad)
        signatures = {"serve_examples": module.serve}
        tf.saved_model.save(module, str(folder / name / "Format-Serving"), signatures=signatures)

    def run(limits: dict, linear: dict[str, float], *, compared: bool = False) -> tuple[bool, list[tuple[bool, str]]]:
        values = {"name": "a", "task": "classifier", "corpus": CORPUS, "gates": limits}
        job = ClassifierJob.model_validate(values)
        (folder / "linear").mkdir(exist_ok=True)
        results = {"most_frequent": {"labels": ["bad"], "metrics": {}}, "linear": {"metrics": linear}}
        (folder / "linear" / "baselines.json").write_text(json.dumps(results))
        nodes = {
            "examples": Importer(
                source_uri=str(folder / "examples"),
                artifact_type=standard_artifacts.Examples,
                properties={"split_names": '["test"]'},
                custom_properties={"payload_format": "FORMAT_TF_SEQUENCE_EXAMPLE"},
            ),
            "linear": Importer(
                source_uri=str(folder / "linear"), artifact_type=standard_artifacts.ModelEvaluation, reimport=True
            ),
            **{
                name: Importer(source_uri=str(folder / name), artifact_type=standard_artifacts.Model)
                for name in ("model", "before")[: 1 + compared]
            },
        }
        outputs = {name: node.with_id(name).outputs["result"] for name, node in nodes.items()}
        evaluator = LinearGatedEvaluator(
            examples=outputs["examples"],
            example_splits=["test"],
            model=outputs["model"],
            baseline_model=outputs.get("before"),
            eval_config=gates.eval_config(job),
            linear_baseline=outputs["linear"],
            margins=gates.linear_margins(job),
        ).with_id("Evaluator")
        found = run_components(folder / "runs", [*nodes.values(), evaluator])["Evaluator"].outputs
        names = ("candidate", "baseline") if compared else (None,)
        metrics = [read_metrics(found["evaluation"].uri, name) for name in names]
        judged = list(verdict.judge(job, metrics[0], metrics[1] if compared else None, linear=linear))
        blessed = found["blessing"].properties["blessed"] == 1
        files = [path.name for path in Path(found["blessing"].uri).iterdir()]
        assert files == ["BLESSED" if blessed else "NOT_BLESSED"]
        return blessed, judged

    return run


@pytest.mark.parametrize(
    ("least", "linear", "met", "sentence"),
    [
        (0.1, 0.5, True, "0.1000 better than the linear model's 0.5000, which meets at least 0.1"),
        (0.1, 0.50001, False, "0.09999 better than the linear model's 0.5000, but must be at least 0.1"),
        (-0.3, 0.9, True, "0.3000 worse than the linear model's 0.9000, which meets at least -0.3"),
    ],
)
def test_a_model_is_blessed_with_the_margin_over_the_linear_model(judge, least, linear, met, sentence):
    limits = {"accuracy": {"min_over_linear": least}}
    assert judge(limits, {"accuracy": linear}) == (met, [(met, f"accuracy is 0.6000, {sentence}")])


@pytest.mark.parametrize(("least", "linear", "met"), [(0.6, 0.4, (True, True, False)), (0.7, 0.6, (False, True, True))])
def test_all_gates_have_to_be_met(judge, least, linear, met):
    limits = {"accuracy": {"min": least, "max_drop": 0}, "loss": {"max_over_linear": 0.5}}
    blessed, judged = judge(limits, {"loss": linear}, compared=True)
    assert blessed == all(met)
    assert tuple(passed for passed, _ in judged) == met
    # -0.6 * ln(0.9) - 0.4 * ln(0.1) is 0.9843.
    relation = f"loss is 0.9843, {0.9843 - linear:.4f} worse than the linear model's {linear:.4f}"
    assert judged[-1][1] == f"{relation}, {'which meets' if met[-1] else 'but must be'} at most 0.5"


def test_without_a_value_of_the_linear_model_the_gate_fails(judge):
    limits = {"auc": {"min_over_linear": -1}}
    sentence = "auc is 0.5000, but the linear model has no value to compare with"
    assert judge(limits, {"accuracy": 0.5}) == (False, [(False, sentence)])


@pytest.mark.parametrize("component", [LinearGatedEvaluator, Evaluator])
def test_evaluators_get_what_the_package_of_the_stock_one_completes(
    component: type[base_component.BaseComponent],
) -> None:
    module, _, name = component.EXECUTOR_SPEC.class_path.rpartition(".")
    executor = getattr(importlib.import_module(module), name)
    assert issubclass(executor, stock.Executor)
    assert component.EXECUTOR_SPEC.class_path.startswith(ON_STOCK)
