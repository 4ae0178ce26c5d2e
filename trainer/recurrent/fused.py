"""Whether the settings allow the fused cuDNN recurrent kernel of GPUs."""

from __future__ import annotations

from trainer.recurrent.settings import SequenceSettings


def obstacles(settings: SequenceSettings) -> list[str]:
    """Returns the settings that rule out the fused kernel; empty without recurrent layers.

    The conditions are those of the Keras LSTM and GRU layers; `trainer.data.reading.pad` pads on the right.
    """
    if not settings.recurrent:
        return []
    found = []
    if settings.cell == "rnn":
        found.append("trainer.cell: rnn (only lstm and gru have the kernel)")
    if settings.activation != "tanh":
        found.append(f"trainer.activation: {settings.activation} (the kernel supports only tanh)")
    if settings.recurrent_dropout > 0:
        found.append(f"trainer.recurrent_dropout: {settings.recurrent_dropout:g} (the kernel does not support it)")
    if settings.jit_compile:
        found.append("trainer.jit_compile: true (XLA replaces the kernel with a loop)")
    return found
