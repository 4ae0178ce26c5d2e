"""Typed settings of the optimizers and the keys of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from trainer.errors import Problem
from trainer.training.optimization.named_settings import NamedSettings, expand_name

OptimizerName = Literal["adam", "adamw", "sgd", "rmsprop", "adagrad"]


class OptimizerSettings(NamedSettings):
    """An optimizer and its constants; a key of another optimizer is an error."""

    title: ClassVar[str] = "Optimizer"
    defaults: ClassVar[Mapping[str, Mapping[str, float | bool]]] = {
        "adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
        "adamw": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "weight_decay": 0.01},
        "sgd": {"momentum": 0.0, "nesterov": False},
        "rmsprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7},
        "adagrad": {"initial_accumulator": 0.1, "epsilon": 1e-7},
    }

    name: OptimizerName = Field("adam", description="The optimizer.")
    beta_1: float | None = Field(None, ge=0, lt=1, description="adam, adamw: decay of the mean gradient. Default: 0.9.")
    beta_2: float | None = Field(
        None, ge=0, lt=1, description="adam, adamw: decay of the mean squared gradient. Default: 0.999."
    )
    epsilon: float | None = Field(
        None, gt=0, le=1, description="All but sgd: keeps the divisor above zero. Default: 1e-7."
    )
    weight_decay: float | None = Field(
        None, ge=0, le=1, description="adamw: share of a weight, times the rate, that a step subtracts. Default: 0.01."
    )
    momentum: float | None = Field(
        None, ge=0, lt=1, description="sgd, rmsprop: share of the previous step added to each step. Default: 0."
    )
    nesterov: bool | None = Field(None, description="sgd: Nesterov momentum, which looks ahead. Default: false.")
    rho: float | None = Field(
        None, ge=0, lt=1, description="rmsprop: decay of the mean squared gradient. Default: 0.9."
    )
    initial_accumulator: float | None = Field(
        None, ge=0, le=1e9, description="adagrad: initial sum of squares. Default: 0.1."
    )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.nesterov and not self.momentum:
            yield Problem(("nesterov",), "nesterov needs momentum.", "no momentum", fix="set momentum, for example 0.9")


Optimizer = Annotated[
    OptimizerSettings, BeforeValidator(expand_name, json_schema_input_type=OptimizerName | OptimizerSettings)
]
"""The section, or only the name."""
