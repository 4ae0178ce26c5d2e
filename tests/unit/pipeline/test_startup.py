"""What commands import: a prediction TensorFlow alone, a run from the cache none of the executors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.utils import import_utils

from components.evaluator import figure_metric
from components.evaluator.names import FIGURE_METRIC
from tests.unit.pipeline.test_dag import SECTIONS, TUNE, create

ROOT = Path(__file__).resolve().parents[3]
PRINT = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def imported(code: str) -> set[str]:
    """The names of all modules that a new process has imported after running some code."""
    command = [sys.executable, "-c", f"{code}\n{PRINT}"]
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def tops(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_a_prediction_imports_tensorflow_alone(tmp_path: Path) -> None:
    code = f"""
import json, pathlib
from trainer.jobs.light_imports import import_tensorflow
import_tensorflow()
import tensorflow as tf
class Model(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text):
        one = tf.ones([tf.size(text)])
        label = tf.strings.lower(text)
        return {{"label": label, "probability": one, "labels": label[:, None], "probabilities": one[:, None]}}
model = Model()
folder = pathlib.Path({str(tmp_path)!r})
tf.saved_model.save(model, str(folder), {{"serving_default": model.serve}})
(folder / "assets.extra").mkdir()
(folder / "assets.extra/seqloom.json").write_text(json.dumps({{"task": "classifier", "kind": "labelled_text"}}))
"""
    imported(code)
    predict = f"""
from typer.testing import CliRunner
from pipeline.cli.app import app
result = CliRunner().invoke(app, ["predict", {str(tmp_path)!r}, "Two words"])
assert '"label": "two words"' in result.stdout, result.output
"""
    found = tops(imported(predict))
    assert "tensorflow" in found
    heavy = {"keras", "tensorflow_text", "tfx", "tfx_bsl", "apache_beam", "ml_metadata", "IPython", "pandas", "sklearn"}
    assert found & heavy == set()


def test_a_run_from_the_cache_imports_no_executor() -> None:
    code = """
from pipeline.runners.tfx_imports import import_tfx
import_tfx()
from pipeline.runs import leftovers, summary
from pipeline.store import stores
from pipeline.runners import local
from tests.unit.pipeline.test_dag import TUNE, create
from tfx.orchestration.pipeline import Pipeline
from tfx.dsl.compiler.compiler import Compiler
for task in ("classifier", "tagger", "word2vec", "dataset"):
    nodes = create(task, tune={**TUNE, "use": True} if task == "classifier" else None)
    Compiler().compile(Pipeline(pipeline_name="a", pipeline_root="root", components=list(nodes.values())))
import components.pusher.executor
import components.corpus_example_gen.driver
"""
    found = imported(code)
    assert {"tensorflow", "apache_beam", "tfx", "ml_metadata"} <= tops(found)
    executors = {name for name in found if name.startswith("components.") and name.endswith(".executor")}
    assert executors == {"components.pusher.executor"}
    unused = {"tfx.types.standard_component_specs", "tensorflow_model_analysis.api", "google.cloud.bigquery"}
    unused |= {name for name in found if name.startswith("tfx.components.") and name.endswith(".executor")}
    assert found & unused == set()
    libraries = {"tensorflow_data_validation", "tensorflow_transform", "keras_tuner", "keras", "IPython", "kubernetes"}
    assert tops(found) & libraries == set()


@pytest.mark.parametrize("task", SECTIONS)
def test_the_executors_that_components_name_exist(task: str) -> None:
    nodes = create(task) | create(task, goal="check")
    if task == "classifier":
        nodes |= create(task, goal="tune", tune=TUNE)
    paths = {node.executor_spec.class_path for node in nodes.values() if hasattr(node, "executor_spec")}
    assert len(paths) > 4
    for path in paths:
        assert issubclass(import_utils.import_class_by_path(path), BaseExecutor)


def test_the_metric_that_the_evaluator_is_given_exists() -> None:
    assert (figure_metric.__name__, figure_metric.FigureMetric.__name__) == FIGURE_METRIC
