"""A complete training run of a classifier: what it shows, and what it publishes."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import CLASSIFIER
from trainer.jobs.training_job import TrainingJob
from trainer.supervised.supervised import warn_of_long_documents
from trainer.training import monitor
from trainer.training.settings import AUTO

SMALL = {"embedding": 4, "units": 4, "bidirectional": False, "epochs": 2}
SETTINGS = {
    **{**SMALL, "batch_tokens": 200, "optimizer": "adamw", "schedule": "cosine", "warmup": 0.1, "accumulate": 2},
    **{"class_weights": "balanced", "precision": "bfloat16", "log_steps": 2, "samples": 3},
}
ROOT = Path(__file__).parents[3]
PLAIN = {**SMALL, "word_dropout": 0, "spatial_dropout": 0, "dropout": 0}
TWO_DEVICES = """
import json, sys
import tensorflow as tf

(processor,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)

from trainer.classifier.training import CLASSIFIER
from trainer.jobs.training_job import TrainingJob

for values, settings in json.loads(sys.argv[1]):
    CLASSIFIER.run(TrainingJob(**values), CLASSIFIER.settings.model_validate(settings))
"""


@pytest.fixture(scope="module")
def job(corpus, job_in, tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    return job_in(corpus, tmp_path_factory.mktemp("supervised"))


@pytest.fixture(scope="module")
def trained(job: TrainingJob) -> TrainingJob:
    CLASSIFIER.run(job, ClassifierSettings.model_validate(SETTINGS))
    return job


def test_published_models_compute_in_float32(trained: TrainingJob) -> None:
    model = tf.saved_model.load(trained.model_directory)
    graph = model.signatures["serving_default"].graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert not [node.name for node in nodes if tf.bfloat16.as_datatype_enum in {a.type for a in node.attr.values()}]
    answer = model.signatures["serving_default"](tf.constant(["w1 moving w2", ""]))
    np.testing.assert_allclose(tf.reduce_sum(answer["probabilities"], axis=1), 1, rtol=1e-6)


def test_curves_and_documents_are_shown(trained: TrainingJob) -> None:
    events = EventAccumulator(trained.log_directory, {"tensors": 0}).Reload()
    points = {name: [event.step for event in events.Tensors(name)] for name in events.Tags()["tensors"]}
    report = json.loads(Path(trained.log_directory, "training.json").read_text())
    steps = sum(figures["steps"] for figures in report["history"])
    for name in ("loss", "accuracy", "learning_rate", "gradient_norm", "tokens_per_second", "padding_waste"):
        assert points[f"step/{name}"] == list(range(2, int(steps) + 1, 2))
    weights = {name.split("/")[1]: steps for name, steps in points.items() if name.startswith("weights/")}
    assert weights.keys() >= {"embedding", "logits"}
    assert all(steps == [1, 2] for steps in weights.values())
    assert points["device"] == points["epoch/padding_waste"] == points["samples"] == points["epoch/eval_loss"] == [1, 2]
    (text,) = tf.make_ndarray(events.Tensors("samples")[-1].tensor_proto).ravel()
    shown = text.decode().split("\n\n")
    assert len(shown) == SETTINGS["samples"]
    assert all(line.removeprefix("**").startswith(("negative", "positive")) for line in shown)


def test_histograms_of_large_tables_count_evenly_spaced_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "MOST_VALUES", 10)
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(8, use_bias=False)])
    model.set_weights([np.arange(24.0).reshape(3, 8)])
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        monitor.Monitor(model).epoch(1)
    events = EventAccumulator(str(tmp_path), {"tensors": 0}).Reload()
    (name,) = events.Tags()["tensors"]
    buckets = tf.make_ndarray(events.Tensors(name)[0].tensor_proto)
    assert buckets[:, 2].sum() == 8  # Every third of 24 values.
    assert (buckets[0, 0], buckets[-1, 1]) == (0, 21)


@pytest.mark.slow
def test_two_devices_publish_what_one_does(job: TrainingJob, tmp_path: Path) -> None:
    jobs = {}
    for strategy in ("one_device", "mirrored"):
        own = {name: str(tmp_path / strategy / name) for name in ("model_directory", "log_directory", "checkpoints")}
        jobs[strategy] = dataclasses.asdict(dataclasses.replace(job, **own)), {**PLAIN, "strategy": strategy}
    command = [sys.executable, "-c", TWO_DEVICES, json.dumps(list(jobs.values()))]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    found = []
    for values, _ in jobs.values():
        answer = tf.saved_model.load(values["model_directory"]).signatures["serving_default"]
        found.append(answer(tf.constant(["w1 moving w2", "dull"]))["probabilities"].numpy())
    np.testing.assert_allclose(*found, atol=1e-4)


def test_a_document_longer_than_a_batch_is_named(job: TrainingJob, caplog: pytest.LogCaptureFixture) -> None:
    lengths = [
        tf.train.SequenceExample.FromString(record.numpy()).context.feature["length"].int64_list.value[0]
        for record in tf.data.TFRecordDataset([*job.train_files, *job.eval_files], "GZIP")
    ]
    assert job.longest == max(lengths)
    for limit in (job.longest, AUTO):
        warn_of_long_documents(job, ClassifierSettings(batch_tokens=limit))
    assert caplog.messages == []
    warn_of_long_documents(job, ClassifierSettings(batch_tokens=job.longest - 1))
    (message,) = caplog.messages
    assert f"{max(lengths)} tokens, more than trainer.batch_tokens = {max(lengths) - 1}" in message
    assert message.endswith("set transform.truncate.")
