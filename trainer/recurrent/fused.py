"""Whether a configuration lets a GPU run the fused cuDNN recurrent kernel."""

from __future__ import annotations

from trainer.recurrent.settings import SequenceSettings


def obstacles(settings: SequenceSettings) -> list[str]:
    """Names what rules the fused kernel out, empty if nothing does or if there is no recurrent layer.

    The conditions are those of the Keras LSTM and GRU layers; right padding is given by
    `trainer.data.reading.pad`.
    """
    if not settings.recurrent:
        return []
    found = []
    if settings.cell == "rnn":
        found.append("trainer.cell: rnn (Keras has the kernel for lstm and gru)")
    if settings.activation != "tanh":
        found.append(f"trainer.activation: {settings.activation} (the kernel knows tanh alone)")
    if settings.recurrent_dropout > 0:
        found.append(f"trainer.recurrent_dropout: {settings.recurrent_dropout:g} (the kernel has none)")
    if settings.jit_compile:
        found.append("trainer.jit_compile: true (XLA replaces the kernel by a loop)")
    return found
