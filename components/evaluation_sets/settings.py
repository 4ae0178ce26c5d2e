"""Typed settings of the evaluation of word vectors, read from the job's YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from trainer.errors import Problem
from trainer.settings import Settings

HELD_OUT = "eval"
"""The name under which the held-out documents appear among the sets."""

_SetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
_Path = Annotated[str, Field(min_length=1)]


class EvaluationSettings(Settings):
    """How word vectors are evaluated, in addition to the loss on the eval split."""

    pairs: dict[_SetName, _Path] = Field(
        default_factory=dict,
        description="Files of word pairs with human similarity ratings, by name of the set: an absolute path, a path"
        " relative to this file, or package:<package>/<file>.",
    )
    analogies: dict[_SetName, _Path] = Field(
        default_factory=dict,
        description="Files of analogies by name of the set, four words per line, under `: section` lines or without"
        " sections; paths as in pairs.",
    )
    min_coverage: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Sets the vocabulary covers less than this are reported but do not gate.",
    )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        for name in [name for name in self.analogies if name in self.pairs]:
            what = f"{name} cannot name both pairs and analogies."
            yield Problem(("analogies", name), what, name, fix="rename one of them")
        for key in ("pairs", "analogies"):
            if HELD_OUT in getattr(self, key):
                what = f"{HELD_OUT} is reserved for the held-out documents."
                yield Problem((key, HELD_OUT), what, HELD_OUT, fix="rename the set")
