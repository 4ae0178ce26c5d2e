"""Typed settings of the optimizers: which there are, and the keys of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, model_validator

from trainer.settings import Settings

OptimizerName = Literal["adam", "adamw", "sgd", "rmsprop", "adagrad"]

DEFAULTS: Mapping[OptimizerName, Mapping[str, float | bool]] = {
    "adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
    "adamw": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "weight_decay": 0.01},
    "sgd": {"momentum": 0.0, "nesterov": False},
    "rmsprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7},
    "adagrad": {"initial_accumulator": 0.1, "epsilon": 1e-7},
}
"""The keys of each optimizer and what they are where nothing is said."""


class OptimizerSettings(Settings):
    """An optimizer and its constants; a key that its optimizer has no use for is an error."""

    name: OptimizerName = Field("adam", description="The optimizer.")
    beta_1: float | None = Field(
        None, ge=0, lt=1, description="adam, adamw: decay of the mean of the gradients; 0.9 where it is not given."
    )
    beta_2: float | None = Field(
        None, ge=0, lt=1, description="adam, adamw: decay of the mean of their squares; 0.999 where it is not given."
    )
    epsilon: PositiveFloat | None = Field(
        None, description="All but sgd: keeps the divisor from zero; 1e-7 where it is not given."
    )
    weight_decay: float | None = Field(
        None,
        ge=0,
        description="adamw: every step takes this times the learning rate off each weight; 0.01 where it is not given.",
    )
    momentum: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="sgd, rmsprop: share of the last step that is taken again; 0 where it is not given.",
    )
    nesterov: bool | None = Field(None, description="sgd: look ahead by the momentum; false where it is not given.")
    rho: float | None = Field(
        None, ge=0, lt=1, description="rmsprop: decay of the mean of the squares; 0.9 where it is not given."
    )
    initial_accumulator: float | None = Field(
        None, ge=0, description="adagrad: the sum of the squares at the start; 0.1 where it is not given."
    )

    @model_validator(mode="after")
    def _keys_fit(self) -> OptimizerSettings:
        own = DEFAULTS[self.name]
        for key, value in self:
            if key != "name" and value is not None and key not in own:
                others = [name for name, keys in DEFAULTS.items() if key in keys]
                has, fitting = ", ".join(own), " or ".join(others)
                raise ValueError(f"{self.name} has no {key}, it has {has}: remove it, or set name to {fitting}")
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov looks ahead by the momentum, and there is none: set momentum, such as 0.9")
        return self

    def constants(self) -> dict[str, float | bool]:
        """Returns every key of the optimizer with its value."""
        return {key: default if (value := getattr(self, key)) is None else value for key, default in self._own()}

    def _own(self) -> list[tuple[str, float | bool]]:
        return list(DEFAULTS[self.name].items())


def _named(value: Any) -> Any:
    """A name is short for a section with the name alone."""
    return {"name": value} if isinstance(value, str) else value


Optimizer = Annotated[
    OptimizerSettings, BeforeValidator(_named, json_schema_input_type=OptimizerName | OptimizerSettings)
]
"""The section, or the name alone."""
