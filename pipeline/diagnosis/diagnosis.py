"""One line of what a run would find."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.runs.state import StyledState
from trainer.errors import JobError


class DiagnosisState(StyledState):
    """Whether a run can go on with what was found."""

    OK = "ok", "green"
    WARNING = "warning", "bold yellow"
    MISSING = "missing", "bold red"


class Diagnosis(NamedTuple):
    """What was found of one thing that a run uses.

    Attributes:
        name: The thing.
        state: Whether it is there; after a warning a run can start, but is slow, or waits for something that passes.
        found: What was found.
        remedy: What to do about it; None if it is there.
    """

    name: str
    state: DiagnosisState
    found: str
    remedy: str | None = None


def ok(name: str, found: str) -> Diagnosis:
    """Returns that a thing is there."""
    return Diagnosis(name, DiagnosisState.OK, found)


def warning(name: str, found: str, remedy: str) -> Diagnosis:
    """Returns that a thing is there, but not as it should be."""
    return Diagnosis(name, DiagnosisState.WARNING, found, remedy)


def missing(name: str, found: str, remedy: str) -> Diagnosis:
    """Returns that a thing is missing, or unusable."""
    return Diagnosis(name, DiagnosisState.MISSING, found, remedy)


def refused(name: str, error: JobError, remedy: str) -> Diagnosis:
    """Returns that a thing is missing, as an error says; `remedy` is that of errors without one."""
    title = error.what.splitlines()[0].rstrip(".:")
    expected = f"it must be {error.expected}" if error.expected else remedy
    return missing(name, f"{title}: {error.found}" if error.found else title, error.fix or expected)
