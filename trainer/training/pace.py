"""The pace of training: epochs, batches and learning rate, and their choice by the size of the train split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from trainer.training.settings import AUTO, TrainingSettings

S = TypeVar("S", bound=TrainingSettings)

_STEPS_PER_EPOCH = 48
"""At least about this many batches in an epoch, so that a small corpus is not a handful of steps."""
_BATCH_TOKENS = (2_048, 16_384)
_BATCH_DOCUMENTS = (8, 64)

LARGEST_BATCH = _BATCH_TOKENS[1]
"""The most tokens of a batch that are chosen."""


class PacePlan(NamedTuple):
    """What a kind of model needs.

    Attributes:
        steps: At least about this many steps in all.
        epochs: The fewest and the most epochs.
        rates: The lowest and the highest peak learning rate: few steps have to be large ones.
        long_run: The steps from which on the rate is the lowest.
        few: Fewer documents than this get one epoch of the largest batches.
    """

    steps: int
    epochs: tuple[int, int]
    rates: tuple[float, float]
    long_run: int
    few: int = 0


OF_DOCUMENTS = PacePlan(steps=85, epochs=(3, 5), rates=(2e-3, 5e-3), long_run=1_400)
"""Suits models with one target per document."""
BESIDE_NGRAMS = OF_DOCUMENTS._replace(few=1_500)
"""Suits models with one target per document beside which n-grams learn more from few documents."""
OF_TOKENS = PacePlan(steps=800, epochs=(6, 20), rates=(2e-3, 1e-2), long_run=20_000)
"""Suits models with a target at each token, most of which teach nothing: a few sentences need many steps."""


class SplitSize(NamedTuple):
    """The size of a split."""

    documents: int
    tokens: int


class Pace(NamedTuple):
    """The numbers that depend on the corpus; each is that of `TrainingSettings` with the same name."""

    epochs: int
    batch_tokens: int
    batch_documents: int
    learning_rate: float


def suited(size: SplitSize, plan: PacePlan = OF_DOCUMENTS) -> Pace:
    """Returns the pace that suits a train split of a size, with powers of two as the limits of a batch."""
    few = size.documents < plan.few
    batch_documents = _power_of_two(math.inf if few else size.documents / _STEPS_PER_EPOCH, *_BATCH_DOCUMENTS)
    batch_tokens = _power_of_two(math.inf if few else size.tokens / _STEPS_PER_EPOCH, *_BATCH_TOKENS)
    batches = max(1, size.tokens / batch_tokens, size.documents / batch_documents)
    fewest, most = plan.epochs
    epochs = 1 if few else min(max(math.ceil(plan.steps / batches), fewest), most)
    lowest, highest = plan.rates
    rate = min(lowest * math.sqrt(max(1, plan.long_run / (batches * epochs))), highest)
    return Pace(epochs, batch_tokens, batch_documents, float(f"{rate:.2g}"))


def paced(settings: S, size: SplitSize, plan: PacePlan = OF_DOCUMENTS) -> S:
    """Returns settings with a number in place of each `auto`."""
    return settings.model_copy(update=chosen(settings, size, plan))


def chosen(settings: TrainingSettings, size: SplitSize, plan: PacePlan = OF_DOCUMENTS) -> Mapping[str, Any]:
    """Returns the numbers that replace `auto`, by key; empty if there is no `auto`."""
    return {key: value for key, value in suited(size, plan)._asdict().items() if getattr(settings, key) == AUTO}


def _power_of_two(value: float, least: int, most: int) -> int:
    """Returns the power of two that is nearest in proportion to a value, within limits that are powers of two."""
    return int(2 ** round(math.log2(min(max(value, least), most))))
