"""What of a search space cannot be: unknown keys, and values that the trainer does not take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipeline.config.checks import Problem
from trainer.text.suggestions import closest
from trainer.tuning.settings import DimensionSettings, Value
from trainer.tuning.values import SECTION, set_key, takes_integers, validated

if TYPE_CHECKING:
    from pipeline.tasks.supervised_job import SupervisedJob

_FILES = {f"{SECTION}embedding.from"}
"""Keys that name files, of which a run keeps copies before it starts."""


def tune_problems(config: SupervisedJob) -> Iterator[Problem]:
    """Yields what a search over a job's settings does not allow."""
    if config.tune is None:
        return
    settings = config.trainer.model_dump(mode="json", by_alias=True)
    for key, dimension in config.tune.space.items():
        problem = _key(key, settings) or _values(config, settings, key, dimension)
        if problem is not None:
            yield problem
    if "multi_worker" in (config.trainer.strategy, *_tested(config.tune.space.get(f"{SECTION}strategy"))):
        fix = "set trainer.strategy to one_device or mirrored to search"
        yield Problem(("tune",), "Workers do not share a search.", "strategy multi_worker", "one machine", fix)
    if config.tune.algorithm == "hyperband" and f"{SECTION}epochs" in config.tune.space:
        path, fix = ("tune", "space", f"{SECTION}epochs"), "remove the key, or take another algorithm"
        yield Problem(path, "Hyperband gives the trials their epochs.", "a space of trainer.epochs", fix=fix)


def _tested(dimension: DimensionSettings | None) -> tuple[Value, ...]:
    return () if dimension is None else dimension.tested


def _key(key: str, settings: Mapping[str, Any]) -> Problem | None:
    path = ("tune", "space", key)
    if not key.startswith(SECTION):
        fix = f"did you mean {SECTION}{key}?" if key in settings else None
        return Problem(path, "Only keys of trainer are tuned.", key, f"a key such as {SECTION}units", fix)
    if key in _FILES:
        return Problem(path, "What names a file is not tuned.", key, fix="make a job for each file")
    holder: Any = settings
    names = key.removeprefix(SECTION).split(".")
    for depth, name in enumerate(names):
        before = SECTION + "".join(f"{outer}." for outer in names[:depth])
        if not isinstance(holder, Mapping):
            fix = f"give {before.rstrip('.')} a section" if holder is None else None
            return Problem(path, f"{before.rstrip('.')} is no section.", str(holder), "a section with keys", fix)
        if name not in holder:
            near = closest(name, holder)
            fix = f"did you mean {before}{near}?" if near else None
            return Problem(path, f"There is no key {before}{name}.", name, ", ".join(holder), fix)
        holder = holder[name]
    return None


def _values(
    config: SupervisedJob, settings: Mapping[str, Any], key: str, dimension: DimensionSettings
) -> Problem | None:
    """The first problem that a value of a dimension, put in by itself, makes."""
    path, known = ("tune", "space", key), set(_problems(config, config.trainer))
    for value in dimension.tested:
        try:
            trainer = validated(type(config.trainer), set_key(settings, key, value))
        except ValidationError as error:
            details = error.errors()[0]
            expected = details["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
            return Problem(path, f"{key} cannot have a value of its space.", str(value), expected)
        for problem in _problems(config, trainer):
            if problem not in known:
                what = f"{problem.what.rstrip('.')}, with {key} {value}."
                return Problem(path, what, problem.found, problem.expected, problem.fix)
    low = dimension.min
    if low is not None and takes_integers(type(config.trainer), settings, key, low) is None:
        return Problem(path, f"{key} is a section and has no range.", "min and max", "values, or a key of it")
    return None


def _problems(config: SupervisedJob, trainer: Any) -> Iterator[Problem]:
    """What the job without its search does not allow, with another trainer section."""
    return config.model_copy(update={"trainer": trainer, "tune": None}).problems()
