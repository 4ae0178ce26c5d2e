"""Checks a search space for unknown keys, and for values that are not valid in the trainer section."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from pipeline.config.job import Job
from trainer.errors import Problem
from trainer.recurrent.settings import SequenceSettings
from trainer.text.suggestions import did_you_mean
from trainer.tuning.settings import DimensionSettings, TuneSettings
from trainer.tuning.values import SECTION, set_key, takes_integers, validated

JobWith = Callable[[SequenceSettings], Job]
"""Returns a job, apart from its search, with another trainer section."""


def search_problems(tune: TuneSettings, trainer: SequenceSettings, job_with: JobWith) -> Iterator[Problem]:
    """Yields the problems of a search over keys of a trainer section."""
    settings = trainer.model_dump(mode="json", by_alias=True)
    known = set(job_with(trainer).all_problems())
    # A dimension with problems of its own has no values to check.
    checked = {key: dimension for key, dimension in tune.space.items() if not any(dimension.problems())}
    for key in tune.space:
        problem = _key_problem(key, settings)
        if problem is None and key in checked:
            problem = _value_problem(key, checked[key], settings, type(trainer), known, job_with)
        if problem is not None:
            yield problem
    strategies = checked.get(f"{SECTION}strategy")
    if "multi_worker" in (trainer.strategy, *(strategies.tested if strategies else ())):
        fix = "set trainer.strategy: one_device or mirrored"
        yield Problem(("tune",), "A search cannot use several workers.", "strategy multi_worker", "one machine", fix)
    if tune.algorithm == "hyperband" and f"{SECTION}epochs" in tune.space:
        path, fix = ("tune", "space", f"{SECTION}epochs"), "remove the key, or choose another algorithm"
        found = "algorithm hyperband, which sets the epochs of each trial"
        yield Problem(path, "trainer.epochs cannot be searched with hyperband.", found, fix=fix)


def _key_problem(key: str, settings: Mapping[str, Any]) -> Problem | None:
    path = ("tune", "space", key)
    if not key.startswith(SECTION):
        fix = f"did you mean {SECTION}{key}?" if key in settings else None
        expected = f"a key under trainer, for example {SECTION}units"
        return Problem(path, f"{key} cannot be searched.", "a key outside trainer", expected, fix)
    holder: Any = settings
    names = key.removeprefix(SECTION).split(".")
    for depth, name in enumerate(names):
        before = SECTION + "".join(f"{outer}." for outer in names[:depth])
        section = before.rstrip(".")
        if not isinstance(holder, Mapping):
            fix = f"set {section} to a section" if holder is None else None
            return Problem(path, f"{section} is not a section.", str(holder), "a section with keys", fix)
        if name not in holder:
            fix = did_you_mean(name, holder, before)
            return Problem(path, f"The key {before}{name} is unknown.", name, ", ".join(holder), fix)
        holder = holder[name]
    return None


def _value_problem(
    key: str,
    dimension: DimensionSettings,
    settings: Mapping[str, Any],
    kind: type[SequenceSettings],
    known: set[Problem],
    job_with: JobWith,
) -> Problem | None:
    """Returns the first problem that a value of a dimension adds to the known problems of the job."""
    path = ("tune", "space", key)
    for value in dimension.tested:
        try:
            trainer = validated(kind, set_key(settings, key, value))
        except ValidationError as error:
            message = error.errors()[0]["msg"]
            expected = message.removeprefix("Input should be ").removeprefix("Value error, ")
            return Problem(path, f"{key} has an invalid value in its space.", str(value), expected)
        job = job_with(trainer)
        if key in {file.name for file in job.files()}:  # A run copies its files before it starts.
            return Problem(path, f"{key} cannot be searched.", "a key that names a file", fix="write one job per file")
        for problem in job.all_problems():
            if problem not in known:
                what = f"{problem.what.rstrip('.')} if {key} is {value}."
                return Problem(path, what, problem.found, problem.expected, problem.fix)
    if dimension.min is not None and takes_integers(kind, settings, key, dimension.min) is None:
        expected = f"values, or a range of a key under {key}"
        return Problem(path, f"{key} is a section and cannot have a range.", "min and max", expected)
    return None
