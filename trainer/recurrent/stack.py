"""A stack of recurrent layers over sequences of vectors."""

from __future__ import annotations

import keras

from trainer.recurrent.settings import StackSettings

_CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
_FIRST_RESIDUAL = 3


def stack(
    settings: StackSettings,
    vectors: keras.KerasTensor,
    steps: keras.KerasTensor,
    *,
    return_sequences: bool = True,
    prefix: str = "",
) -> keras.KerasTensor:
    """Applies recurrent layers to sequences.

    LSTM cells start with forget bias 1 (Jozefowicz et al. 2015, An Empirical Exploration of Recurrent Network
    Architectures, section 5). Recurrent dropout has one mask for all steps (Gal & Ghahramani 2016, A Theoretically
    Grounded Application of Dropout in Recurrent Neural Networks, section 4), input and output dropout one per step
    (Zaremba et al. 2014, Recurrent Neural Network Regularization, section 3.2). From the third layer on, residual
    connections add a layer's input to its states (Wu et al. 2016, Google's Neural Machine Translation System,
    section 3.1).

    Args:
        settings: The layers.
        vectors: The input, float [batch, time, width].
        steps: Which steps are real, bool [batch, time]: the first of each sequence always, padding on the right.
        return_sequences: Whether to return the states at all steps, or at the last real step of each direction.
        prefix: Prefix of the layers' names.

    Returns:
        States, float [batch, time, units] or [batch, units]; twice as wide if two directions are concatenated.
    """
    for number in range(1, settings.layers + 1):
        last = number == settings.layers
        name = f"{prefix}{settings.cell}" if number == 1 else f"{prefix}{settings.cell}_{number}"
        read = _dropout(vectors, settings.input_dropout, f"{name}_input_dropout")
        states = _layer(settings, name, return_sequences or not last)(read, mask=steps)
        if settings.residual and number >= _FIRST_RESIDUAL:
            states = keras.layers.Add(name=f"{name}_residual")([vectors, states])
        if settings.layer_norm and not last:
            states = keras.layers.LayerNormalization(name=f"{name}_norm")(states)
        vectors = states
    return _dropout(vectors, settings.output_dropout, f"{prefix}{settings.cell}_output_dropout")


def _layer(settings: StackSettings, name: str, return_sequences: bool) -> keras.layers.Layer:
    layer = _CELLS[settings.cell](
        settings.units,
        activation=settings.activation,
        kernel_initializer=_initializer(settings.kernel_initializer, settings.uniform_scale),
        recurrent_initializer=_initializer(settings.recurrent_initializer, settings.uniform_scale),
        recurrent_dropout=settings.recurrent_dropout,
        return_sequences=return_sequences,
        name=name,
    )
    if not settings.bidirectional:
        return layer
    return keras.layers.Bidirectional(layer, merge_mode=settings.merge, name=f"bidirectional_{name}")


def _initializer(name: str, scale: float) -> str | keras.initializers.Initializer:
    if name == "uniform":
        return keras.initializers.RandomUniform(-scale, scale)
    return {"glorot": "glorot_uniform", "orthogonal": "orthogonal", "identity": "identity"}[name]


def _dropout(values: keras.KerasTensor, rate: float, name: str) -> keras.KerasTensor:
    return keras.layers.Dropout(rate, name=name)(values) if rate else values
