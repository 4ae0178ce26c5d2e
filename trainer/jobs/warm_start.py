"""Starts a training from the weights of an earlier model, with rows matched by name."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trainer.jobs import kept_weights
from trainer.jobs.kept_weights import WeightArray, Weights

logger = logging.getLogger("seqloom.trainer")

_FIRST = "no model of other data has been blessed in this root before"
_WITHOUT = "the last blessed model has no weights to start from, because an earlier version of seqloom made it"


def start(weights: Weights, base: str) -> dict[str, Any]:
    """Assigns the weights of an earlier model to the untrained ones of a new model.

    Rows that the earlier model lacks keep their initial values, as do all rows whose meaning depends on the ids of
    words, if the vocabulary has changed. Weights that are not trained are not assigned. If the models have different
    layers, all weights keep their initial values: a run does not fail because of the model before it.

    Args:
        weights: The weights of the new model.
        base: The folder of the earlier model's weights; empty: there is none.

    Returns:
        The entry `warm_start` of `training.json`: `model`, the path of the earlier model below the root's artifacts,
        and for each kind of rows the numbers of those from it and of new ones, such as `words` and `new_words`; or
        `reason`, why training starts from scratch.
    """
    try:
        earlier = kept_weights.read(base) if base else None
        reason = _obstacle(weights, earlier, _WITHOUT if base else _FIRST)
    except ValueError as error:
        earlier, reason = None, f"the weights of the last blessed model cannot be read: {error}"
    if earlier is None or reason:
        (logger.warning if base else logger.info)("Training starts from scratch: %s.", reason)
        return {"warm_start": {"reason": reason}}
    _assign(weights, earlier)
    entry: dict[str, Any] = {"model": "/".join(posixpath.dirname(base).split("/")[-3:])}
    for kind, labels in weights.labels.items():
        known = len(set(labels).intersection(earlier.labels[kind]))
        entry.update({kind: known, f"new_{kind}": len(labels) - known})
    counts = ", ".join(f"{entry[kind]:,} {kind} from it, {entry[f'new_{kind}']:,} new" for kind in weights.labels)
    logger.info("Training starts from the model %s: %s.", entry["model"], counts)
    return {"warm_start": entry}


def _obstacle(weights: Weights, earlier: Weights | None, absent: str) -> str:
    """Returns why a model cannot start from an earlier one; empty if it can."""
    if earlier is None:
        return absent
    if earlier.task != weights.task:
        return f"the last blessed model is one of task {earlier.task}"
    layers = next(_other_layers(weights.parts, earlier.parts), None)
    if layers is None:
        return ""
    settings = ", ".join(_other_settings(weights.settings, earlier.settings)) or "no setting of the trainer has changed"
    return f"the last blessed model has other layers: {layers} ({settings})"


def _other_layers(parts: Sequence[WeightArray], earlier: Sequence[WeightArray]) -> Iterator[str]:
    new, old = ({part.name: part for part in each} for each in (parts, earlier))
    for name in [*new, *(name for name in old if name not in new)]:
        if name not in old:
            yield f"it has no {name}"
        elif name not in new:
            yield f"{name} is not in this model"
        elif new[name].fixed != old[name].fixed or new[name][2:] != old[name][2:]:
            yield f"{name} has the shape {_shape(old[name])}, here {_shape(new[name])}"


def _shape(part: WeightArray) -> str:
    axis = part.axis % len(part.shape) if part.rows else None
    return " x ".join(part.rows if number == axis else str(size) for number, size in enumerate(part.shape))


def _other_settings(new: Mapping[str, Any], old: Mapping[str, Any], path: str = "trainer") -> Iterator[str]:
    for key in dict.fromkeys([*new, *old]):
        value, before = new.get(key), old.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            yield from _other_settings(value, before, f"{path}.{key}")
        elif value != before and key != "warm_start":
            yield f"{path}.{key} is {_plain(value)}, was {_plain(before)}"


def _plain(value: Any) -> str:
    return "null" if value is None else str(value)


def _assign(weights: Weights, earlier: Weights) -> None:
    """Assigns the values of an earlier model's rows."""
    old = {part.name: value for part, value in zip(earlier.parts, earlier.variables, strict=True)}
    same = {kind: list(labels) == list(earlier.labels[kind]) for kind, labels in weights.labels.items()}
    rows = {kind: _rows(labels, earlier.labels[kind]) for kind, labels in weights.labels.items()}
    for part, variable in zip(weights.parts, weights.variables, strict=True):
        if not variable.trainable or (part.ids and not all(same.values())):
            continue
        value = old[part.name]
        if part.rows:
            to, source = rows[part.rows]
            value = kept_weights.value_of(variable).copy()
            np.moveaxis(value, part.axis, 0)[to] = np.moveaxis(old[part.name], part.axis, 0)[source]
        variable.assign(value)


def _rows(labels: Sequence[str], earlier: Sequence[str]) -> tuple[list[int], list[int]]:
    """Returns the rows of the names that both have, and those in the earlier model."""
    places = {label: row for row, label in enumerate(earlier)}
    found = [(row, places[label]) for row, label in enumerate(labels) if label in places]
    return [row for row, _ in found], [row for _, row in found]
