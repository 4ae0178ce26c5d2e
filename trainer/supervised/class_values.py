"""A setting that gives some classes a value by their name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trainer.errors import JobError


def by_id(key: str, values: Mapping[str, float], classes: Sequence[str], default: float) -> list[float]:
    """Returns the value of each class by its id.

    Args:
        key: The key of the setting under `trainer`.
        values: The values of the named classes.
        classes: The name of each class.
        default: The value of a class that the setting does not name.

    Raises:
        JobError: If the setting names an unknown class.
    """
    unknown = [name for name in values if name not in classes]
    if unknown:
        raise JobError(
            f"{key} names an unknown class.",
            where=f"trainer.{key}",
            found=", ".join(unknown),
            expected=", ".join(classes),
        )
    return [values.get(name, default) for name in classes]
