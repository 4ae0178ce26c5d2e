"""What of a job cannot be, though each key by itself is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pipeline.config.job import Job


class Problem(NamedTuple):
    """One thing that cannot be; the parts of a JobError, with the key's path for its place."""

    path: tuple[str, ...]
    what: str
    found: str | None = None
    expected: str | None = None
    fix: str | None = None


def shared(config: Job) -> Iterator[Problem]:
    """Yields what no task allows."""
    yield from _columns(config)
    yield from _splits(config)
    obstacle = config.transform.obstacle(config.corpus.kind)
    if obstacle:
        yield Problem(("transform",), "The transform does not fit the corpus.", f"{obstacle} ({config.corpus.kind})")


def _columns(config: Job) -> Iterator[Problem]:
    columns: dict[str, str] = {}
    for role in ("text", "label", "source", "id", "split", "weight"):
        column = getattr(config.corpus, role)
        if column in columns:
            found = f"{columns[column]} and {role} are both {column}"
            yield Problem(("corpus", role), "One column is named for two things.", found)
        elif column is not None:
            columns[column] = role


def _splits(config: Job) -> Iterator[Problem]:
    place, splits = _split_names(config)
    missing = [split for split in ("train", "eval") if split not in splits]
    if missing:
        found = "the splits " + ", ".join(splits)
        yield Problem(place, f"The split {' and '.join(missing)} is missing.", found, "a path for train and for eval")


def evaluated_split(config: Job) -> Iterator[Problem]:
    """Yields the lack of a split for the Evaluator."""
    place, splits = _split_names(config)
    if "test" not in splits:
        found = "the splits " + ", ".join(splits)
        yield Problem(place, "The split test is missing; the Evaluator measures it.", found)


def _split_names(config: Job) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The key that names the splits, and the splits."""
    if isinstance(config.corpus.path, str):
        return ("splits",), tuple(config.splits.weights)
    return ("corpus", "path"), tuple(config.corpus.path)
