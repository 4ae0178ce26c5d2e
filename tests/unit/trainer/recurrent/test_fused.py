"""Obstacles to the fused kernel, compared with the conditions of the Keras layers."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.tasks import loading
from trainer.classifier import model as classifier
from trainer.classifier.segments import Documents, Segments
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import CLASSIFIER
from trainer.data.reading import pad
from trainer.recurrent import encoder, fused
from trainer.recurrent.settings import SequenceSettings
from trainer.tagger.training import TAGGER

ROOT = Path(__file__).parents[4]

# The package has a function of the module's name.
rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")


ELU = "trainer.activation: elu (the kernel supports only tanh)"
COMPILED = "trainer.jit_compile: true (XLA replaces the kernel with a loop)"


@pytest.mark.parametrize(
    ("values", "causes"),
    [
        ({"encoder": "cnn", "jit_compile": True}, []),
        ({"encoder": "average", "jit_compile": True}, []),
        ({"cell": "rnn"}, ["trainer.cell: rnn (only lstm and gru have the kernel)"]),
        ({"activation": "relu"}, ["trainer.activation: relu (the kernel supports only tanh)"]),
        ({"recurrent_dropout": 0.1}, ["trainer.recurrent_dropout: 0.1 (the kernel does not support it)"]),
        ({"jit_compile": True}, [COMPILED]),
        ({"activation": "elu", "jit_compile": True}, [ELU, COMPILED]),
    ],
)
def test_each_cause_is_named(values: dict, causes: list[str]) -> None:
    assert fused.obstacles(ClassifierSettings.model_validate(values)) == causes


def keras_allows(layer: keras.layers.Layer) -> bool:
    """The conditions of Keras except the GPU: suitable arguments, and no recurrent dropout."""
    cell = layer.cell
    arguments = (cell.activation, cell.recurrent_activation, layer.unroll, cell.use_bias)
    if isinstance(layer, keras.layers.LSTM):
        supported = rnn._do_lstm_arguments_support_cudnn(*arguments)
    else:
        supported = rnn._do_gru_arguments_support_cudnn(*arguments, cell.reset_after)
    return bool(supported and layer.use_cudnn in ("auto", True) and not layer.recurrent_dropout)


AROUND = {"layers": 3, "residual": True, "layer_norm": True, "merge": "sum", "input_dropout": 0.5}
PARTS = [{}, {"activation": "relu"}, {"recurrent_dropout": 0.1}, {"activation": "sigmoid"}]
OTHERS = [AROUND, {"kernel_initializer": "uniform", "output_dropout": 0.5}, {"encoder": "hierarchical"}]
ONE_WAY = [{**values, "bidirectional": False} for values in PARTS]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("values", [*PARTS, *ONE_WAY, *OTHERS])
def test_keras_layers_agree_and_other_settings_do_not_matter(cell: str, values: dict) -> None:
    settings = ClassifierSettings(cell=cell, embedding=2, units=2, **values)
    layers = recurrent_layers(classifier.build(settings, 9, 2))
    assert len(layers) >= 1 + settings.bidirectional
    assert {keras_allows(layer) for layer in layers} == {not fused.obstacles(settings)}
    assert values not in OTHERS or not fused.obstacles(settings)


def recurrent_layers(model: keras.Model) -> list[keras.layers.RNN]:
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)]


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_jobs_of_the_repository_use_the_kernel(path: Path) -> None:
    job = loading.load(path)
    if not isinstance(job.trainer, SequenceSettings):
        pytest.skip(f"a job of task {job.task} has no recurrent layers")
    assert fused.obstacles(job.trainer) == []
    task = TAGGER if job.task == TAGGER.name else CLASSIFIER
    model = task.build(job.trainer, 9, 2, np.zeros([9, 2], np.float32))
    layers = recurrent_layers(model)
    assert bool(layers) == job.trainer.recurrent
    assert all(keras_allows(layer) for layer in layers)


def test_the_kernel_accepts_the_masks_of_padded_batches_and_segments() -> None:
    tokens, length = pad(tf.ragged.constant([[4, 3, 5, 6, 7, 3], [], [7]], dtype=tf.int64, row_splits_dtype=tf.int64))
    steps = encoder.LengthMask()(tokens, length)
    words, real, rows = Segments()(tf.zeros([*tokens.shape, 2]), tokens, steps)
    assert words.shape == [4, 4, 2]
    _, present = Documents()(tf.zeros([4, 2]), rows, steps)
    for mask in (steps, real, present):
        rnn._assert_valid_mask(mask)
        assert not rnn._has_fully_masked_sequence(mask)
    with pytest.raises(tf.errors.InvalidArgumentError, match="right-padded"):
        rnn._assert_valid_mask(tf.constant(np.flip(steps.numpy(), axis=1)))
