"""What rules the fused kernel out, beside what the layers of Keras themselves ask for."""

from __future__ import annotations

import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.input import pad
from trainer.recurrent import encoder, fused

# The package has a function of the module's name.
rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_nothing_rules_it_out_by_default(cell: str, bidirectional: bool) -> None:
    assert fused.obstacles(ClassifierSettings(cell=cell, bidirectional=bidirectional)) == []


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"activation": "relu"}, "trainer.activation: relu (the kernel knows tanh alone)"),
        ({"recurrent_dropout": 0.1}, "trainer.recurrent_dropout: 0.1 (the kernel has none)"),
        ({"jit_compile": True}, "trainer.jit_compile: true (XLA replaces the kernel by a loop)"),
    ],
)
def test_each_cause_is_named(values: dict, cause: str) -> None:
    assert fused.obstacles(ClassifierSettings.model_validate(values)) == [cause]


def test_all_causes_are_named_together() -> None:
    settings = ClassifierSettings(activation="relu", recurrent_dropout=0.2, jit_compile=True)
    assert len(fused.obstacles(settings)) == 3


def keras_allows(layer: keras.layers.Layer) -> bool:
    """The conditions of Keras but for the GPU: arguments that fit, and no recurrent dropout."""
    cell = layer.cell
    arguments = (cell.activation, cell.recurrent_activation, layer.unroll, cell.use_bias)
    if isinstance(layer, keras.layers.LSTM):
        supported = rnn._do_lstm_arguments_support_cudnn(*arguments)
    else:
        supported = rnn._do_gru_arguments_support_cudnn(*arguments, cell.reset_after)
    return bool(supported and layer.use_cudnn in ("auto", True) and not layer.recurrent_dropout)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("values", [{}, {"activation": "relu"}, {"recurrent_dropout": 0.1}, {"activation": "sigmoid"}])
def test_the_layers_of_keras_agree(cell: str, bidirectional: bool, values: dict) -> None:
    settings = ClassifierSettings(cell=cell, bidirectional=bidirectional, embedding=2, units=2, **values)
    recurrent = classifier.build(settings, 9, 2).get_layer(f"bidirectional_{cell}" if bidirectional else cell)
    layers = [recurrent.forward_layer, recurrent.backward_layer] if bidirectional else [recurrent]
    assert {keras_allows(layer) for layer in layers} == {not fused.obstacles(settings)}


def test_masks_of_padded_batches_are_such_as_the_kernel_takes() -> None:
    tokens, length = pad(tf.ragged.constant([[4, 5, 6], [], [7]], dtype=tf.int64, row_splits_dtype=tf.int64))
    mask = encoder.LengthMask()(tokens, length)
    rnn._assert_valid_mask(mask)
    assert not rnn._has_fully_masked_sequence(mask)
    with pytest.raises(tf.errors.InvalidArgumentError, match="right-padded"):
        rnn._assert_valid_mask(tf.constant(np.flip(mask.numpy(), axis=1)))
