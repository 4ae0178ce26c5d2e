"""Valid and invalid combinations of recurrent settings."""

import pytest

from trainer.recurrent.settings import RecurrentSettings


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"merge": "sum", "bidirectional": False}, "merge sum needs two directions"),
        ({"layer_norm": True}, "layer_norm needs at least 2 layers"),
        ({"residual": True}, "residual needs at least 3 layers. where: residual found: layers 1"),
        ({"residual": True, "layers": 2}, "found: layers 2"),
        ({"recurrent_initializer": "identity"}, "identity needs cell rnn. .* found: cell gru"),
        ({"recurrent_initializer": "identity", "cell": "lstm"}, "found: cell lstm"),
        ({"uniform_scale": 0.5}, "uniform_scale has no effect"),
        ({"layers": 0}, "greater than 0"),
        ({"activation": "tahn"}, "'tanh'"),
        ({"output_dropout": 1.0}, "less than 1"),
    ],
)
def test_wrong_combinations_are_rejected_with_the_reason(values: dict, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        RecurrentSettings.model_validate(values)
